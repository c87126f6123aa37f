/** The tokens as they are on disk right now: one that is created or revoked counts from the next request on. */
import { timingSafeEqual } from 'node:crypto'
import { listTokens, readToken, versionOf } from './token-files.ts'
import type { TokenRecord } from './token-files.ts'

export interface TokenStore {
  /** The token of that digest, expired or not. Takes the same time whichever it is. */
  find(digest: Buffer): Promise<TokenRecord | undefined>
  all(): Promise<readonly TokenRecord[]>
  /** What was wrong in the folder when it was last looked at. */
  problems(): readonly string[]
}

/** @param onProblem told of each problem once, until it is gone. */
export function createTokenStore(
  folder: string,
  uid: number,
  onProblem: (problem: string) => void = () => {},
): TokenStore {
  let known = new Map<string, { version: string; read: TokenRecord | string }>()
  let problems: readonly string[] = []
  const all = async () => {
    const listed = await listTokens(folder, uid)
    const now: typeof known = new Map()
    for (const name of listed.names) now.set(name, await look(folder, name, known.get(name)))
    known = now
    const reads = [...now.values()].map(({ read }) => read)
    const found = [...listed.problems, ...reads.filter((read) => typeof read === 'string')]
    for (const problem of found) if (!problems.includes(problem)) onProblem(problem)
    problems = found
    return reads.filter((read) => typeof read !== 'string')
  }
  return {
    all,
    problems: () => problems,
    async find(digest) {
      let match: TokenRecord | undefined
      for (const token of await all()) if (timingSafeEqual(token.digest, digest)) match = token
      return match
    },
  }
}

/** Reads it again only when it is another file than before: a look costs one call of the system per token. */
async function look(folder: string, name: string, before: { version: string; read: TokenRecord | string } | undefined) {
  let version = ''
  try {
    version = await versionOf(folder, name)
    if (before?.version === version) return before
    return { version, read: await readToken(folder, name) }
  } catch (error) {
    return { version, read: `${folder}/${name}.yaml is not used: ${(error as Error).message}` }
  }
}
