/** From a request to an identity: which door, which kind of credential, right or wrong. */
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { doorOf } from '../door.ts'
import { HttpError } from '../errors.ts'
import { certificateIdentity, shownCertificate } from './certificate.ts'
import { LOCAL, OPEN, type Identity } from './identity.ts'
import { createJwtVerifier, type VerifyJwt } from './jwt.ts'
import { invalid, locked, tooManyTries } from './refusals.ts'
import type { TokenStore } from './token-store.ts'
import { digestOf, isToken } from './token.ts'
import { createTries } from './tries.ts'

export interface AuthDeps {
  readonly config: Pick<Config, 'auth' | 'jwt' | 'socket' | 'tls'>
  /** The name that a JWT has to be made out to. */
  readonly node: string
  readonly tokens: TokenStore
}

/** @throws HttpError */
export type Authenticate = (request: FastifyRequest) => Promise<Identity>

export function createAuthenticate({ config, node, tokens }: AuthDeps): Authenticate {
  const verifyJwt = config.jwt && createJwtVerifier(config.jwt, node)
  const tries = createTries(config.tls === 'terminated-upstream')
  return async (request) => {
    if (doorOf(request) === 'local') return LOCAL
    if (config.auth === 'none') return OPEN
    const { socket } = request.raw
    const { authorization } = request.headers
    const certificate = authorization === undefined ? shownCertificate(socket) : undefined
    const presented = authorization ?? certificate?.fingerprint256
    // To come without a credential is no try at one.
    if (presented === undefined) throw locked(config.socket)
    const attempt = [socket.remoteAddress ?? '', digestOf(presented)] as const
    const seconds = tries.blockedSeconds(...attempt)
    if (seconds !== undefined) throw tooManyTries(seconds)
    try {
      const identity = certificate
        ? certificateIdentity(certificate, socket, clientScopes(config.tls))
        : await bearerIdentity(presented, tokens, verifyJwt)
      tries.succeeded(...attempt)
      return identity
    } catch (error) {
      if (error instanceof HttpError && error.code === 'invalid-credential') tries.failed(...attempt)
      throw error
    }
  }
}

function clientScopes(tls: Config['tls']) {
  return typeof tls === 'object' ? tls.clientScopes : []
}

async function bearerIdentity(header: string, tokens: TokenStore, verifyJwt: VerifyJwt | undefined): Promise<Identity> {
  const credential = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header)?.[1]
  if (credential === undefined) throw invalid('the header Authorization is not understood; accepted: Bearer TOKEN')
  if (isToken(credential)) return tokenIdentity(credential, tokens)
  if (credential.split('.').length !== 3) throw invalid('this is neither a token of diagd nor a JWT')
  if (!verifyJwt) throw invalid('a JWT is not accepted here: the key jwt of config.yaml is not set')
  return verifyJwt(credential)
}

async function tokenIdentity(token: string, tokens: TokenStore): Promise<Identity> {
  const found = await tokens.find(digestOf(token))
  if (!found) throw invalid('this token is not known here, or is revoked')
  if (found.expiresMs <= Date.now()) {
    throw invalid(`the token "${found.name}" has expired at ${new Date(found.expiresMs).toISOString()}`)
  }
  return { name: found.name, kind: 'token', scopes: found.scopes }
}
