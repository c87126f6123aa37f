/** Claims of several rules on the same bytes: each byte is masked once. */
import type { Rule, Span } from './rule.ts'

export interface Claim extends Span {
  readonly kind: string
  readonly rank: Rule['rank']
}

/** Overlapping claims become one, named by whoever claims all of it and knows most; in order, disjoint. */
export function mergeSpans(claims: readonly Claim[]): Claim[] {
  const sorted = claims.toSorted((a, b) => a.start - b.start || b.end - a.end || b.rank - a.rank)
  const merged: Claim[] = []
  for (const claim of sorted) {
    const last = merged.at(-1)
    if (!last || claim.start >= last.end) merged.push(claim)
    else if (claim.end > last.end) merged[merged.length - 1] = { ...last, end: claim.end }
  }
  return merged
}
