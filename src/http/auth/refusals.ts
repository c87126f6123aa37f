/** How a door says no. No answer holds any part of a credential. */
import type { Scope } from '../../config/scopes.ts'
import { HttpError } from '../errors.ts'
import type { Identity } from './identity.ts'

/** No credential at all. */
export function locked(socket: string): HttpError {
  const detail =
    // No colon before curl: it is recorded, too, and would be masked there as the credential.
    'this needs a credential, as curl -H @FILE sends it, where FILE holds "Authorization: Bearer …" (diagd token create ' +
    `NAME writes one). On the machine: curl --unix-socket ${socket} http://localhost/debug-package. ` +
    'To open it to everybody who reaches this address: auth: none in config.yaml, or DIAGD_AUTH=none'
  return new HttpError('unauthorized', detail, { headers: challenge('') })
}

/** A credential that is none here. */
export function invalid(detail: string): HttpError {
  return new HttpError('invalid-credential', detail, { headers: challenge(', error="invalid_token"') })
}

/** A credential that is good for something else. */
export function insufficient(identity: Identity, scope: Scope): HttpError {
  const has = identity.scopes.length > 0 ? identity.scopes.join(', ') : 'none'
  const detail = `this needs the scope ${scope}; the credential has ${has}`
  return new HttpError('insufficient-scope', detail, {
    headers: challenge(`, error="insufficient_scope", scope="${scope}"`),
  })
}

export function tooManyTries(seconds: number): HttpError {
  const detail = `too many credentials from this address were wrong; try again in ${seconds} s`
  return new HttpError('too-many-tries', detail, { headers: { 'retry-after': String(seconds) } })
}

function challenge(rest: string): Record<string, string> {
  return { 'www-authenticate': `Bearer realm="diagd"${rest}` }
}
