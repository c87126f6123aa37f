/** JSON Web Tokens of a control plane, checked against the public keys it publishes. */
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters, JWTPayload } from 'jose'
import type { Jwt } from '../../config/jwt.ts'
import { isScope, type Scope } from '../../config/scopes.ts'
import { HttpError } from '../errors.ts'
import { cleanName, type Identity } from './identity.ts'
import { createKeys } from './jwks.ts'
import { invalid } from './refusals.ts'

/** Clocks of two machines differ by this much before somebody is told. */
const TOLERANCE_S = 10

export type VerifyJwt = (token: string) => Promise<Identity>

/** @param node the name that the node claim has to hold: a token for one machine is good on no other. */
export function createJwtVerifier(config: Jwt, node: string): VerifyJwt {
  // jose is loaded, and the keys are fetched, when the first token comes.
  let loaded: ReturnType<typeof load> | undefined
  return async (token) => {
    const { jose, keys } = await (loaded ??= load(config))
    try {
      const { payload } = await jose.jwtVerify(
        token,
        (header: JWSHeaderParameters, input: FlattenedJWSInput): Promise<CryptoKey> => keys(header, input),
        {
          issuer: config.issuer,
          audience: config.audience,
          algorithms: [...config.algorithms],
          clockTolerance: TOLERANCE_S,
          requiredClaims: ['exp'],
        },
      )
      return identityOf(payload, config, node)
    } catch (error) {
      if (error instanceof HttpError) throw error
      // The messages of jose name claims, and show none of their values.
      const reason = error instanceof jose.errors.JOSEError ? error.message : 'it cannot be read'
      throw invalid(`the JWT is not accepted: ${reason}`)
    }
  }
}

async function load(config: Jwt) {
  const jose = await import('jose')
  return { jose, keys: createKeys(jose, new URL(config.jwksUrl)) }
}

function identityOf(payload: JWTPayload, { nodeClaim, scopeClaim }: Jwt, node: string): Identity {
  const nodes = [claim(payload, nodeClaim)].flat()
  if (!nodes.includes(node)) throw invalid(`the JWT is for another node: "${nodeClaim}" does not name ${node}`)
  return {
    name: cleanName(payload.sub ?? payload.iss ?? ''),
    kind: 'jwt',
    scopes: scopesOf(claim(payload, scopeClaim)),
  }
}

function claim(payload: JWTPayload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined
}

/** `"diagd:bundle read"` or `["bundle", "read"]`; what is no scope of diagd is meant for somebody else. */
function scopesOf(value: unknown): Scope[] {
  const words: unknown[] = typeof value === 'string' ? value.split(' ') : [value].flat()
  return words.map((word) => (typeof word === 'string' ? word.replace(/^diagd:/, '') : word)).filter(isScope)
}
