/** The keys of a control plane: fetched when they are needed, again when an unknown one is named, kept when it is away. */
import type { CryptoKey, ExportedJWKSCache, FlattenedJWSInput, JWKSCacheInput, JWSHeaderParameters } from 'jose'
import { HttpError } from '../errors.ts'

/** So long nothing is fetched again; a key that is taken back counts at most so long. */
const FRESH_MS = 10 * 60_000
/** A stranger who names keys that do not exist must not make diagd knock all the time. */
const COOLDOWN_MS = 30_000
/** A request waits for the keys; a control plane that is well answers in less. */
const TIMEOUT_MS = 3000
/** After a fetch that failed nobody waits for another one at once. */
const RETRY_MS = 5000
/** A machine with a broken network is the one that is asked most: keys that were good stay good for a while. */
const STALE_MS = 24 * 3_600_000

export type Keys = (header: JWSHeaderParameters, input: FlattenedJWSInput) => Promise<CryptoKey>

/** @throws errors of jose where the keys say no, HttpError where there are no keys to ask. */
export function createKeys(jose: typeof import('jose'), url: URL): Keys {
  const cache: JWKSCacheInput & Partial<ExportedJWKSCache> = {}
  const remote = jose.createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: FRESH_MS,
    [jose.jwksCache]: cache,
  })
  const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = jose.errors
  let failedMs = -Infinity
  return async (header, input) => {
    if (Date.now() - failedMs >= RETRY_MS) {
      try {
        return await remote(header, input)
      } catch (error) {
        const answered = [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported].some(
          (no) => error instanceof no,
        )
        if (answered) throw error
        failedMs = Date.now()
      }
    }
    if (cache.jwks === undefined || Date.now() - cache.uat! > STALE_MS) throw unreachable(url)
    return jose.createLocalJWKSet(cache.jwks)(header, input)
  }
}

/** Not the caller's fault: neither refused nor let in. */
function unreachable(url: URL): HttpError {
  const detail = `the keys to check a JWT with cannot be fetched from ${url.origin}; a token of tokens.d needs none`
  return new HttpError('keys-unreachable', detail, { headers: { 'retry-after': String(RETRY_MS / 1000) } })
}
