/** The key `tls`: what makes TCP fit for others than this machine. */
import { z } from 'zod'
import { mappingOf, parsed } from './parsed.ts'
import { DEFAULT_SCOPES, parseScopes, SCOPES } from './scopes.ts'

export const TLS_ACCEPTS =
  '"terminated-upstream" (a proxy in front of diagd speaks TLS), or a mapping {certificate: PATH, key: PATH, ' +
  `clientCa: PATH (optional), clientScopes: LIST (optional, of ${SCOPES.join(', ')}; default ${DEFAULT_SCOPES.join(', ')})}, ` +
  'its paths absolute'

export type Tls = NonNullable<ReturnType<typeof parseTls>>
/** TLS that diagd itself speaks. */
export type TlsFiles = Exclude<Tls, string>

const path = z.string('is missing').regex(/^\/[^\0]{1,4095}$/, 'is not an absolute path')

const files = z
  .strictObject({
    certificate: path,
    key: path,
    /** Who shows a certificate of this authority has an identity. */
    clientCa: path.optional(),
    clientScopes: parsed(parseScopes).prefault([...DEFAULT_SCOPES]),
  })
  .readonly()

/** @throws Error */
export function parseTls(value: unknown): 'terminated-upstream' | z.infer<typeof files> | undefined {
  if (value === undefined || value === 'terminated-upstream') return value
  return mappingOf(files, value)
}
