/** A credential in a URL ends up in logs, histories and referrers on its way: it is refused, right or wrong. */
import { HttpError } from '../errors.ts'

/** Without case, "-" and "_". */
const NAMES = new Set(
  'token accesstoken idtoken bearer bearertoken auth authorization jwt apikey xapikey secret clientsecret password credential credentials'.split(
    ' ',
  ),
)

const CREDENTIAL = /diagd_[A-Za-z0-9_-]{43}|\beyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\./

/** @throws HttpError that says where it belongs, and does not repeat it. */
export function refuseCredentialInQuery(query: unknown): void {
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    const named = NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''))
    if (!named && !CREDENTIAL.test(`${name} ${String(value)}`)) continue
    const detail =
      `a credential does not belong in a URL${named ? ` (parameter "${name}")` : ''}: send it as the header ` +
      '"Authorization: Bearer …" (curl -H @FILE); replace this one, for a URL is written into many logs'
    throw new HttpError('credential-in-query', detail, named ? { parameter: name } : {})
  }
}
