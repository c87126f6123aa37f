/** What lies between steps: silence, and what ran side by side. No I/O. */
import type { Part } from './parts.ts'
import type { Gap, Overlap } from './types.ts'

/** Shorter silence is the usual work of one step. */
const GAP_MS = 10_000

/** Times in which no step began or ended, from the start to `endMs`, and which steps were at work then. */
export function findGaps(parts: readonly Part[], startMs: number, endMs: number): Gap[] {
  const times = parts.flatMap(({ startedMs, endedMs }) => (endedMs === null ? [startedMs] : [startedMs, endedMs]))
  const edges = [startMs, ...times.filter((ms) => ms > startMs && ms < endMs), endMs].sort((a, b) => a - b)
  return edges.flatMap((to, at) => {
    const from = edges[at - 1]
    if (from === undefined || to - from < GAP_MS) return []
    return [{ startedMs: from, endedMs: to, durationMs: to - from, waitedFor: atWork(parts, from, to) }]
  })
}

/** The innermost ones: a module, not its stage as well. What fails again and again keeps nobody waiting. */
export function atWork(parts: readonly Part[], from: number, to: number): string[] {
  const active = parts.filter(
    ({ startedMs, endedMs, starts }) =>
      startedMs <= from && (endedMs === null || endedMs >= to) && starts === undefined,
  )
  const parents = new Set(active.map(({ parent }) => parent))
  return [...new Set(active.filter(({ name }) => !parents.has(name)).map(({ name }) => name))]
}

const OVERLAP_MS = 1000
const MOST_OVERLAPS = 20
/** Each is held against each: of thousands the longest make the longest overlaps. */
const MOST_COMPARED = 300

/** Steps of at least a second that ran side by side for at least that long; the longest ones. */
export function findOverlaps(parts: readonly Part[]): Overlap[] {
  // Stages and modules of cloud-init are what their unit does.
  const outer = parts.filter(({ source, parent }) => source !== 'cloud-init' || parent === undefined)
  const long = outer.flatMap((part) =>
    part.endedMs !== null && part.endedMs - part.startedMs >= OVERLAP_MS ? [{ ...part, endedMs: part.endedMs }] : [],
  )
  long.sort((a, b) => b.endedMs - b.startedMs - (a.endedMs - a.startedMs)).splice(MOST_COMPARED)
  long.sort((a, b) => a.startedMs - b.startedMs)
  const all = long.flatMap((a, at) =>
    long.slice(at + 1).flatMap((b) => {
      const startedMs = Math.max(a.startedMs, b.startedMs)
      const durationMs = Math.min(a.endedMs, b.endedMs) - startedMs
      if (durationMs < OVERLAP_MS || isWithin(a, b, parts) || isWithin(b, a, parts)) return []
      return [{ steps: [a.name, b.name] as const, startedMs, durationMs }]
    }),
  )
  return all.sort((a, b) => b.durationMs - a.durationMs).slice(0, MOST_OVERLAPS)
}

function isWithin(inner: Part, outer: Part, parts: readonly Part[]): boolean {
  let parent = inner.parent
  // Three levels: unit, stage, module, and a phase in it.
  for (let depth = 0; depth < 4 && parent !== undefined; depth += 1) {
    if (parent === outer.name) return true
    parent = parts.find(({ name }) => name === parent)?.parent
  }
  return false
}
