/**
 * Masks one stretch of a stream: pure, synchronous, bounded. Whoever calls it (in a worker) hands over the stretch with
 * what stood before it and what follows, so that a secret across its borders is seen whole.
 */
import { createSecretKey } from 'node:crypto'
import { isInMask, maskOf } from './mask.ts'
import { mergeSpans, type Claim } from './merge.ts'
import type { Finding, Pending, Rule, View } from './rule.ts'
import { createScan } from './scanner.ts'

/** Bytes of a stream: those of `[from, to)` are to be masked, the others are there to be looked at. */
export interface Stretch {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  /** Nothing comes after these bytes. */
  readonly final: boolean
  /** What the stretch before left over; offsets into these bytes. */
  readonly carry: Carry
}

export interface Carry {
  /** Up to here everything was sent, or replaced, with the stretch before. */
  readonly sentTo: number
  readonly pending: readonly Pending[]
  /** What was found with the stretch before and begins behind it: its anchor is gone, nobody finds it again. */
  readonly claims?: readonly Claim[]
}

export interface Masked {
  /** In order; pieces of the input and masks. */
  readonly bytes: Uint8Array
  readonly carry: Carry
  /** Spans masked, by rule. */
  readonly hits: Readonly<Record<string, number>>
}

export type Redactor = (stretch: Stretch) => Masked

/** A rule that looks at everything and has no anchors: patterns of the user, addresses to be made pseudonymous. */
export interface Sweep {
  readonly id: string
  readonly rank: Rule['rank']
  /** Claims that begin in `[from, to)`. */
  readonly find: (view: View, from: number, to: number) => readonly { start: number; end: number; kind?: string }[]
}

/** What stands in place of a secret: a mask, or as many asterisks as it had bytes. */
export type Replacement = 'mask' | 'same-length'

export function createRedactor(
  rules: readonly Rule[],
  key: Uint8Array,
  sweeps: readonly Sweep[] = [],
  replacement: Replacement = 'mask',
): Redactor {
  const anchored = rules.flatMap((rule) => rule.anchors.map((anchor) => ({ rule, anchor })))
  const scan = createScan(anchored.map(({ anchor }) => anchor))
  const scannedBehind = (rule: Rule) => (rule.endsBehind ? 0 : (rule.behindBytes ?? 0))
  const behindBytes = Math.max(0, ...rules.map(scannedBehind))
  const reaching = rules.filter((rule) => rule.endsBehind)
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const secretKey = createSecretKey(key)
  const put = { mask: (kind: string, secret: string) => maskOf(kind, secret, secretKey), replacement }
  return ({ bytes, from, to, final, carry }) => {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    // Made when the first anchor is found: most stretches of a log hold none.
    let view: View | undefined
    const look = () => (view ??= { text: source.toString('latin1'), end: source.length, final })
    const claims: Claim[] = [...(carry.claims ?? [])]
    const pending: Pending[] = []
    const claim = (rule: Rule, at: number, finding: ReturnType<Rule['find']>) => {
      if (!finding) return
      for (const span of finding.spans) {
        if (span.start < at - (rule.behindBytes ?? 0))
          throw new Error(`the rule ${rule.id} claims bytes that may be sent already`)
        if (span.end > span.start && !isInMask(look().text, span.start))
          claims.push({ kind: rule.id, ...span, rank: rule.rank })
      }
      if (finding.pending) pending.push(finding.pending)
    }
    for (const going of carry.pending) {
      if (going.at > to) pending.push(going)
      else claim(byId.get(going.rule)!, going.at, byId.get(going.rule)!.resume!(look(), going))
    }
    // An anchor in the next stretch may stand behind a secret in this one; it is found there again.
    scan(bytes, from, Math.min(source.length, to + behindBytes), source.length, (index, at) => {
      const { rule } = anchored[index]!
      if (at < to + scannedBehind(rule)) claim(rule, at, rule.find(look(), at))
    })
    if (to < source.length) {
      for (const rule of reaching) {
        for (const at of rule.endsBehind!(source, to)) claim(rule, at, startingBefore(to, rule.find(look(), at)))
      }
    }
    for (const { id, rank, find } of sweeps) {
      for (const { kind = id, ...span } of find(look(), from, to)) claims.push({ ...span, kind, rank })
    }
    return assemble(source, { from: Math.max(from, carry.sentTo), to }, { claims, pending }, put)
  }
}

/** What begins behind it is found there again. */
function startingBefore(to: number, finding: Finding | undefined): Finding | undefined {
  return finding && { spans: finding.spans.filter(({ start }) => start < to) }
}

function assemble(
  source: Buffer,
  range: { from: number; to: number },
  found: { claims: readonly Claim[]; pending: readonly Pending[] },
  { mask, replacement }: { mask: (kind: string, secret: string) => string; replacement: Replacement },
): Masked {
  const hits: Record<string, number> = {}
  const out: Buffer[] = []
  let sentTo = range.from
  for (const { start, end, kind, quoted = '' } of mergeSpans(found.claims)) {
    if (start >= range.to || end <= sentTo) continue
    const begin = Math.max(start, sentTo)
    out.push(source.subarray(sentTo, begin))
    if (replacement === 'same-length') out.push(Buffer.alloc(end - begin, '*'))
    else out.push(Buffer.from(quoted + mask(kind, source.toString('latin1', start, end)) + quoted))
    hits[kind] = (hits[kind] ?? 0) + 1
    sentTo = end
  }
  if (sentTo < range.to) {
    out.push(source.subarray(sentTo, range.to))
    sentTo = range.to
  }
  const bytes = out.length === 1 ? out[0]! : Buffer.concat(out)
  const claims = found.claims.filter(({ start }) => start >= range.to)
  return { bytes, carry: { sentTo, pending: found.pending, claims }, hits }
}
