/** Globs over the host's files. */
import type { Outcome } from '../collector.ts'
import { Walk } from './glob-walk.ts'
import { mountTable } from './mounts.ts'
import type { SourceContext } from './source.ts'

interface Match {
  readonly path: string
  /** The part of the glob before its first wildcard: what its real path has to stay under. */
  readonly root: string
}

export interface GlobProblem {
  readonly pattern: string
  readonly outcome: Outcome
  readonly detail: string
  /** There is simply nothing that matches. */
  readonly absent?: true
}

export interface Expansion {
  readonly matches: Match[]
  readonly problems: GlobProblem[]
}

/** What a collector can sensibly describe. */
const mostMatches = 10_000
/** Names looked at for all globs of one artifact: a spool of millions costs seconds and then ends. */
const mostNames = 200_000

/**
 * The files that match, sorted and each once, and why there may be more.
 *
 * `*`, `?`, `[…]` and `{a,b}` match within a component; `**` as a component goes up to 8 folders deep on one device. Links to
 * folders are not followed behind a wildcard (but in sysfs, where the kernel makes them). Folders match with
 * `folders` only. Paths are as `pathText` makes them.
 */
export async function expandGlobs(globs: readonly string[], ctx: SourceContext, folders = false): Promise<Expansion> {
  const problems: GlobProblem[] = []
  const found = new Map<string, string>()
  const budget = { names: mostNames }
  for (const pattern of globs) {
    const walk = new Walk({ pattern, ctx, mounts: await mountTable(ctx), folders, budget })
    await walk.run()
    for (const path of walk.found) if (!found.has(path)) found.set(path, walk.root)
    problems.push(...walk.problems)
  }
  const all = [...found.entries()].map(([path, root]) => ({ path, root }))
  all.sort((a, b) => (a.path < b.path ? -1 : 1))
  if (all.length > mostMatches) {
    const detail = `${all.length} files match, the first ${mostMatches} are taken`
    problems.push({ pattern: globs.join(' '), outcome: 'partial', detail })
  }
  return { matches: all.slice(0, mostMatches), problems }
}
