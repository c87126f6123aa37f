/** From artifacts to entries: globs become one entry per file, the rest is one entry each. */
import type { Outcome } from '../collector.ts'
import { plainName } from '../sources/decompress.ts'
import { expandGlobs } from '../sources/glob.ts'
import type { SourceContext } from '../sources/source.ts'
import { baseName, defaultPath, originOf, type Description } from './artifact.ts'
import type { EntrySource } from './open.ts'

/** A file found by a glob. */
export interface ListedFile {
  readonly kind: 'listed'
  readonly path: string
  /** The glob's literal root: the real path has to stay under it. */
  readonly root: string
  readonly windowed: boolean
}

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
  const files = matches.map((match) => listed(match, source.windowed, description))
  // One pattern without a match is normal (another distribution's path); none with one is worth a word.
  const worthAWord = problems.filter(({ outcome }) => outcome !== 'skipped' || files.length === 0)
  return [...files, ...worthAWord.map((problem) => unlisted(problem, description))]
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

function unlisted(problem: { pattern: string; outcome: Outcome; detail: string }, description: Description): EntryPlan {
  const name = problem.pattern.replaceAll('/', '_').replaceAll('*', '+').replace(/^_/, '')
  return {
    path: (description.path?.endsWith('/') ? description.path : '') + name,
    origin: problem.pattern,
    source: { kind: 'absent', outcome: problem.outcome, reason: problem.detail },
    description,
  }
}

function pathUnder(path: string | undefined, name: string): string {
  if (path === undefined) return name
  return path.endsWith('/') ? path + name : path
}
