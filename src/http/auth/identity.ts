/** Who asks, as far as diagd is concerned. */
import { SCOPES, type Scope } from '../../config/scopes.ts'

export interface Identity {
  /** Of the token, the subject or the certificate; never a part of the credential. */
  readonly name: string
  readonly kind: 'local' | 'open' | 'token' | 'jwt' | 'certificate'
  readonly scopes: readonly Scope[]
}

/** Whoever the kernel let through to the unix socket. */
export const LOCAL: Identity = { name: 'unix socket', kind: 'local', scopes: SCOPES }

/** Everybody, where the configuration says `auth: none`. */
export const OPEN: Identity = { name: 'nobody (auth: none)', kind: 'open', scopes: SCOPES }

/** A name that somebody else chose, short and without control characters. */
export function cleanName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}').slice(0, 128)
}
