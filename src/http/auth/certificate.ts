/** Client certificates: checked by TLS against `tls.clientCa`; here they get a name and scopes. */
import type { Socket } from 'node:net'
import { TLSSocket, type PeerCertificate } from 'node:tls'
import type { Scope } from '../../config/scopes.ts'
import { cleanName, type Identity } from './identity.ts'
import { invalid } from './refusals.ts'

/** The certificate that the client showed, accepted or not; undefined where there is none. */
export function shownCertificate(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerCertificate()
  // Node gives an empty object where none was shown, whatever its types say.
  return (certificate.fingerprint256 as string | undefined) === undefined ? undefined : certificate
}

/** @throws HttpError for one that is not accepted. */
export function certificateIdentity(shown: PeerCertificate, socket: Socket, scopes: readonly Scope[]): Identity {
  const { subject, fingerprint256, valid_to: validTo } = shown
  if (!(socket instanceof TLSSocket) || !socket.authorized) {
    const reason = socket instanceof TLSSocket ? socket.authorizationError : 'there is no TLS'
    throw invalid(`the client certificate is not accepted: ${String(reason)}`)
  }
  // A connection, or a session that is resumed, can outlive the certificate that opened it.
  if (Date.parse(validTo) < Date.now()) throw invalid('the client certificate has expired')
  const name: unknown = [subject.CN].flat()[0]
  return { name: cleanName(typeof name === 'string' ? name : fingerprint256), kind: 'certificate', scopes }
}
