/** A control plane with a real JWKS server, for the tests of who may ask. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import type { CryptoKey, JWK, JWTPayload } from 'jose'
import { parseJwt } from '../../src/config/jwt.ts'
import type { Jwt } from '../../src/config/jwt.ts'

const NODE = 'test'
const ISSUER = 'https://plane.example'
type Algorithm = 'EdDSA' | 'ES256' | 'RS256'

export interface Plane {
  /** What the configuration of diagd says of it. */
  readonly config: Jwt
  /** How often somebody fetched the keys. */
  readonly fetches: () => number
  /** Makes a key pair and publishes it, instead of or besides those before. */
  readonly publish: (algorithm: Algorithm, options?: { alone?: boolean }) => Promise<string>
  /** A JWT that is right unless told otherwise, signed by the newest key of the algorithm. */
  readonly sign: (
    claims?: Record<string, unknown>,
    options?: { algorithm?: Algorithm; kid?: string },
  ) => Promise<string>
  /** Signed by nobody. */
  readonly unsigned: () => string
  /** HS256 with the published key as the secret: what a verifier falls for that trusts the header. */
  readonly confused: () => Promise<string>
  /** From now on answers with this. */
  readonly answer: (status: number, body?: string, headers?: Record<string, string>) => void
  readonly close: () => Promise<void>
}

interface Key {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
}

export async function openPlane(overrides: Partial<Jwt> = {}, onPort = 0): Promise<Plane> {
  let keys: Key[] = []
  let fetches = 0
  let broken: { status: number; body: string; headers: Record<string, string> } | undefined
  const server = createServer((_request, response) => {
    fetches += 1
    const { status, body, headers } = broken ?? {
      status: 200,
      body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
      headers: { 'content-type': 'application/json' },
    }
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(onPort, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const jwksUrl = `http://127.0.0.1:${port}/jwks.json`
  const newest = (algorithm: Algorithm) => keys.findLast((key) => key.algorithm === algorithm)!
  return {
    config: { ...parseJwt({ issuer: ISSUER, audience: 'diagd', jwksUrl })!, ...overrides },
    fetches: () => fetches,
    async publish(algorithm, { alone = false } = {}) {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
      const kid = `${algorithm}-${keys.length}`
      const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
      keys = [...(alone ? [] : keys), { kid, algorithm, privateKey, publicKey, jwk }]
      return kid
    },
    async sign(claims = {}, { algorithm = 'EdDSA', kid } = {}) {
      const key = newest(algorithm)
      return new SignJWT({ ...right(), ...claims })
        .setProtectedHeader({ alg: algorithm, kid: kid ?? key.kid })
        .sign(key.privateKey)
    },
    unsigned: () => new UnsecuredJWT(right()).encode(),
    async confused() {
      const { publicKey, kid } = newest('RS256')
      const secret = new TextEncoder().encode(await exportSPKI(publicKey))
      return new SignJWT(right()).setProtectedHeader({ alg: 'HS256', kid }).sign(secret)
    },
    answer(status, body = '', headers = {}) {
      broken = { status, body, headers }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function right(): JWTPayload {
  const now = Math.floor(Date.now() / 1000)
  return { iss: ISSUER, aud: 'diagd', sub: 'alice', node: NODE, scope: 'bundle', iat: now, exp: now + 60 }
}
