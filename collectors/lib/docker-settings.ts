/** What an engine was told: the flags of its command line, and daemon.json. No I/O. */

export interface DaemonFile {
  readonly path: string
  readonly values: Readonly<Record<string, unknown>>
  /** Why it is no configuration. */
  readonly problem?: string
}

export interface Setting {
  readonly values: readonly string[]
  readonly from: 'flag' | 'daemon.json'
}

export type Flags = ReadonlyMap<string, readonly string[]>

const longNames: Readonly<Record<string, string>> = {
  H: 'host',
  D: 'debug',
  l: 'log-level',
  g: 'data-root',
  graph: 'data-root',
  p: 'pidfile',
  G: 'group',
  s: 'storage-driver',
}

/** Flags that may be given more than once have a key of another name in daemon.json. */
const keysInFile: Readonly<Record<string, string>> = {
  host: 'hosts',
  'registry-mirror': 'registry-mirrors',
  'insecure-registry': 'insecure-registries',
  'exec-opt': 'exec-opts',
  'storage-opt': 'storage-opts',
  'log-opt': 'log-opts',
}

/** What an engine was told by this name (that of the flag); a flag comes before the file. */
export function settingOf(name: string, flags: Flags, file: DaemonFile): Setting | undefined {
  const given = flags.get(name)
  if (given) return { values: given, from: 'flag' }
  const value = file.values[keysInFile[name] ?? name]
  return value === undefined ? undefined : { values: [value].flat().map(shown), from: 'daemon.json' }
}

/** Names that are set in both places: with them the engine refuses to start. */
export const setTwice = (flags: Flags, file: DaemonFile): string[] =>
  [...flags.keys()].filter((name) => (keysInFile[name] ?? name) in file.values)

/** By long name. dockerd has no positional arguments: what follows a flag without `=` and is no flag is its value. */
export function parseFlags(args: readonly string[]): Flags {
  const flags = new Map<string, string[]>()
  for (let at = 0; at < args.length; at++) {
    const [, given, attached] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(args[at]!) ?? []
    if (given === undefined) continue
    const next = args[at + 1]
    const separate = attached === undefined && next !== undefined && !next.startsWith('-')
    const name = longNames[given] ?? given
    flags.set(name, [...(flags.get(name) ?? []), attached ?? (separate ? next : 'true')])
    if (separate) at += 1
  }
  return flags
}

export function parseDaemonFile(path: string, text: string | undefined): DaemonFile {
  if (text === undefined) return { path, values: {} }
  try {
    const values: unknown = JSON.parse(text)
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
      return { path, values: values as Record<string, unknown> }
    }
    return { path, values: {}, problem: 'it is JSON, but no object' }
  } catch (error) {
    return { path, values: {}, problem: error instanceof Error ? error.message : String(error) }
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
