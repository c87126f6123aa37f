/** The key `jwt`: which JSON Web Tokens of a control plane are credentials. */
import { z } from 'zod'
import { mappingOf } from './parsed.ts'

/** Signatures by a key pair: what diagd fetches to check them is public. */
const JWT_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const

export const JWT_ACCEPTS =
  'a mapping {issuer: TEXT, audience: TEXT, jwksUrl: URL (https, or http on the loopback), nodeClaim: NAME (default ' +
  `node), scopeClaim: NAME (default scope), algorithms: LIST (of ${JWT_ALGORITHMS.join(', ')}; default all)}`

export type Jwt = NonNullable<ReturnType<typeof parseJwt>>

const text = z.string('is missing').min(1, 'is empty').max(2048, 'is longer than 2048 characters')

const jwt = z
  .strictObject({
    issuer: text,
    audience: text,
    jwksUrl: text.refine(isSafeUrl, 'is neither an https:// URL nor an http:// URL of the loopback'),
    nodeClaim: text.prefault('node'),
    scopeClaim: text.prefault('scope'),
    algorithms: z
      .array(z.enum(JWT_ALGORITHMS, `is not one of ${JWT_ALGORITHMS.join(', ')}`), 'is not a list')
      .min(1, 'is empty')
      .prefault([...JWT_ALGORITHMS]),
  })
  .readonly()

/** @throws Error */
export function parseJwt(value: unknown): z.infer<typeof jwt> | undefined {
  return value === undefined ? undefined : mappingOf(jwt, value)
}

/** Whoever can change the keys on their way can be anybody. Secrets in the URL would be shown with the configuration. */
function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}
