/** Tokens in a folder of the test's own. */
import type { Scope } from '../../src/config/scopes.ts'
import { removeToken, tokensFolder, writeToken } from '../../src/http/auth/token-files.ts'
import { createTokenStore } from '../../src/http/auth/token-store.ts'
import type { TokenStore } from '../../src/http/auth/token-store.ts'
import { digestOf, newToken } from '../../src/http/auth/token.ts'
import { temporaryFolder } from './archive.ts'

export interface TestTokens {
  readonly folder: string
  readonly store: TokenStore
  /** One of that name is replaced. */
  readonly create: (name: string, scopes?: readonly Scope[], expiresMs?: number) => Promise<string>
  readonly remove: () => void
}

export function createTokens(): TestTokens {
  const { path, remove } = temporaryFolder()
  const folder = tokensFolder(path)
  return {
    folder,
    remove,
    store: createTokenStore(folder, process.getuid!()),
    async create(name, scopes = ['bundle'], expiresMs = Infinity) {
      const token = newToken()
      await removeToken(folder, name)
      await writeToken(folder, { name, digest: digestOf(token), scopes, createdMs: Date.now(), expiresMs })
      return token
    },
  }
}
