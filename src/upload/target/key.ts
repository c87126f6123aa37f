/** Names at the target: what stands for {node}, {date} and {name}, and what goes along with an object. */

export interface KeyFacts {
  readonly node: string
  /** File name of the bundle, with its extension. */
  readonly name: string
  readonly timeMs: number
}

/** Of S3, in bytes of UTF-8. */
const MOST_KEY_BYTES = 1024
/** Of S3, names and values together. */
const MOST_METADATA_BYTES = 2048

/**
 * Characters that no provider, browser or shell reads as anything else. A node names itself: it must not get out of its prefix by `..` or `/`.
 *
 * @throws Error when the key becomes longer than object stores take.
 */
export function fillKey(template: string, facts: KeyFacts): string {
  const values = { node: part(facts.node), date: dateOf(facts.timeMs), name: part(facts.name) }
  const key = template.replaceAll(/\{(node|date|name)\}/g, (_, which: keyof typeof values) => values[which])
  const bytes = Buffer.byteLength(key)
  if (bytes > MOST_KEY_BYTES) throw new Error(`the key has ${bytes} bytes; object stores take ${MOST_KEY_BYTES}`)
  return key
}

/** UTC. */
function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

function part(value: string): string {
  const safe = value.replaceAll(/[^A-Za-z0-9._-]/g, '_')
  return /^\.*$/.test(safe) ? safe.replaceAll('.', '_') || '_' : safe
}

/** As headers take it: ASCII without what ends a line, and not more than S3 keeps; what comes first stays. */
export function metadataOf(facts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {}
  let leftBytes = MOST_METADATA_BYTES
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue
    const ascii = value.replaceAll(/[^\x20-\x7e]+/g, '?').trim()
    leftBytes -= name.length + ascii.length
    if (leftBytes >= 0 && ascii !== '') kept[name.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')] = ascii
  }
  return kept
}

/** What lies at the target and is a bundle of this node, by its key. */
export interface OwnBundles {
  /** All of them begin so. */
  readonly prefix: string
  /** The time in the name, sortable; undefined: something else, which is none of ours. */
  timeOf(key: string): string | undefined
}

/** The name of a bundle is in src/collect/bundle-id.ts: `debug-<node>-<YYYYMMDDTHHMMSSZ>-<id6>`. */
const NAME_END = String.raw`-(\d{8}T\d{6}Z)-[0-9a-f]{6}\.tar(?:\.gz|\.zst)?(?:\.age)?`

export function ownBundles(template: string, node: string): OwnBundles {
  const own = escaped(part(node))
  const pieces = template.split(/(\{(?:node|date|name)\})/)
  const meaning: Record<string, string> = {
    '{node}': own,
    '{date}': String.raw`\d{4}-\d{2}-\d{2}`,
    '{name}': `debug-(?:UNMASKED-)?${own}${NAME_END}`,
  }
  const form = new RegExp(`^${pieces.map((piece) => meaning[piece] ?? escaped(piece)).join('')}$`)
  const open = pieces.findIndex((piece) => piece === '{date}' || piece === '{name}')
  const fixed = open === -1 ? pieces : pieces.slice(0, open)
  return {
    prefix: fixed.join('').replaceAll('{node}', part(node)),
    timeOf: (key) => form.exec(key)?.[1],
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
}
