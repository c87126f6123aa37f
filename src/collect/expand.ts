/** From artifacts to entries: globs become one entry per file, the rest is one entry each. */
import { plainName } from '../sources/decompress.ts'
import { expandGlobs, type GlobProblem } from '../sources/glob.ts'
import type { SourceContext } from '../sources/source.ts'
import { baseName, defaultPath, originOf, type Description, type SourceSpec } from './artifact.ts'

/** A file found by a glob. */
interface ListedFile {
  readonly kind: 'listed'
  readonly path: string
  /** The glob's literal root: the real path has to stay under it. */
  readonly root: string
  readonly windowed: boolean
}

export type EntrySource = Exclude<SourceSpec, { kind: 'files' }> | ListedFile

/** One entry to be written, its path relative to the collector's folder. */
export interface EntryPlan {
  readonly path: string
  readonly origin: string
  readonly source: EntrySource
  readonly description: Description
}

export async function expand(description: Description, ctx: SourceContext): Promise<EntryPlan[]> {
  const { source } = description
  if (source.kind !== 'files') {
    const path = pathUnder(description.path, defaultPath(source))
    return [{ path, origin: originOf(source), source, description }]
  }
  const { matches, problems } = await expandGlobs(source.globs, ctx)
  const files = apart(matches.map((match) => listed(match, source.windowed, description)))
  const faults = problems.filter(({ absent }) => !absent).map((problem) => unlisted(problem, description))
  // One pattern without a match is normal (another distribution's path); none with one is worth a row.
  const absent = problems.filter((problem) => problem.absent)
  return [...files, ...faults, ...(files.length === 0 && absent.length > 0 ? [nothing(absent, description)] : [])]
}

/** `x.log` and `x.log.gz` side by side: the compressed one, decompressed here, keeps the name that tells it apart. */
function apart(plans: readonly EntryPlan[]): EntryPlan[] {
  const own = new Set(plans.filter((plan) => plan.origin.endsWith(baseName(plan.path))).map(({ path }) => path))
  return plans.map((plan) => {
    const name = baseName(plan.origin)
    if (plan.origin.endsWith(baseName(plan.path)) || !own.has(plan.path)) return plan
    return { ...plan, path: `${plan.path.slice(0, -baseName(plan.path).length)}${name}.decompressed` }
  })
}

function listed(match: { path: string; root: string }, windowed: boolean, description: Description): EntryPlan {
  // Relative to the literal root, so that `conf.d/10-a.conf` of two folders stay apart.
  const relative = match.path.slice(match.root === '/' ? 1 : match.root.length + 1)
  const name = plainName(relative || baseName(match.path))
  return {
    path: description.path?.endsWith('/') === false ? description.path : (description.path ?? '') + name,
    origin: match.path,
    source: { kind: 'listed', path: match.path, root: match.root, windowed },
    description,
  }
}

function unlisted({ pattern, outcome, detail }: GlobProblem, description: Description): EntryPlan {
  return { ...placeOf([pattern], description), source: { kind: 'absent', outcome, reason: detail } }
}

/** One row for all patterns of an artifact that match nothing. */
function nothing(problems: readonly GlobProblem[], description: Description): EntryPlan {
  const patterns = problems.map(({ pattern }) => pattern)
  const reason = `nothing matches ${patterns.join(', ')}`
  return { ...placeOf(patterns, description), source: { kind: 'absent', outcome: 'skipped', reason, quiet: true } }
}

/** A pattern as the name of an entry: readable, and no path of its own. */
function placeOf(patterns: readonly string[], description: Description): Omit<EntryPlan, 'source'> {
  const name = patterns[0]!.replaceAll('/', '_').replaceAll('*', '+').replace(/^_/, '')
  return { path: pathUnder(description.path, name), origin: patterns.join(' '), description }
}

function pathUnder(path: string | undefined, name: string): string {
  if (path === undefined) return name
  return path.endsWith('/') ? path + name : path
}
