/** What Node.js says of a connection, as a failure. */
import { failed, type Failed } from './failed.ts'

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ENOTFOUND: 'its name is unknown (DNS)',
  EAI_AGAIN: 'its name cannot be looked up, DNS does not answer',
  EHOSTUNREACH: 'there is no way to it (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to it (ENETUNREACH)',
  EADDRNOTAVAIL: 'there is no way to it (EADDRNOTAVAIL)',
}

const TLS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock of this machine right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not known here; give it as `ca`',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; give it as `ca`',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not known here; give it as `ca`',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not known here; give it as `ca`',
}

const LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ENETDOWN', 'ECONNTIMEOUT'])

/** undefined: it is not about the connection. `host`: whom it is about, for people. */
export function networkFailure(error: unknown, host: string): Failed | undefined {
  const { code = '', message, name } = error as NodeJS.ErrnoException
  // An address for each family was tried.
  if (error instanceof AggregateError && error.errors.length > 0) return networkFailure(error.errors[0], host)
  const unreachable = UNREACHABLE[code]
  if (unreachable !== undefined) return failed('unreachable', `${host} cannot be reached: ${unreachable}`)
  const tls = TLS[code]
  if (tls !== undefined) return failed('tls', `${host} is not trusted: ${tls}`)
  if (/^ERR_(?:SSL|TLS|OSSL)|^CERT_|^EPROTO$|^UNABLE_TO/.test(code))
    return failed('tls', `${host} and diagd cannot agree on TLS: ${code}`)
  if (LOST.has(code) || /socket hang up|network socket disconnected/i.test(message))
    return failed('connection-lost', `the connection to ${host} broke (${code || 'closed'})`)
  // The SDK gives that name to broken connections, too.
  if (code === 'ETIMEDOUT' || name === 'TimeoutError')
    return failed('unreachable', `${host} cannot be reached: no connection in time`)
  if (code.startsWith('HPE_')) return failed('bad-answer', `what ${host} answered is no HTTP (${code})`)
  return undefined
}
