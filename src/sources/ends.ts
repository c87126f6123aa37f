/** Putting together how the parts of one entry ended. */
import type { Outcome } from '../collector.ts'
import type { SourceEnd } from './source.ts'

const WORST_LAST: readonly Outcome[] = ['ok', 'skipped', 'partial', 'failed', 'timeout', 'withheld']

/** The worse outcome of both, and what both have to say. */
export function bothEnds(one: SourceEnd, other: SourceEnd): SourceEnd {
  const worse = WORST_LAST.indexOf(other.outcome) > WORST_LAST.indexOf(one.outcome) ? other : one
  const detail = joined('; ', one.detail, other.detail)
  const stderr = joined('\n', one.stderr, other.stderr)
  const cutBytes = (one.cutBytes ?? 0) + (other.cutBytes ?? 0)
  return {
    outcome: worse.outcome,
    ...(detail === undefined ? {} : { detail }),
    ...(stderr === undefined ? {} : { stderr: stderr.slice(0, STDERR_CHARACTERS) }),
    ...(cutBytes === 0 ? {} : { cutBytes }),
  }
}

/** As much of stderr as one command may leave. */
const STDERR_CHARACTERS = 16 * 1024

function joined(between: string, one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || one === other) return other
  return other === undefined ? one : one + between + other
}
