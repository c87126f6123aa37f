import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../../src/log.ts'
import { removeToken } from '../../../src/http/auth/token-files.ts'
import { newToken } from '../../../src/http/auth/token.ts'
import { curl, depsOf, openDoors } from '../../helpers/http.ts'
import type { Doors } from '../../helpers/http.ts'
import { openPlane } from '../../helpers/plane.ts'
import type { Plane } from '../../helpers/plane.ts'
import { createAuthority, openDoor } from '../../helpers/tls.ts'
import { createTokens } from '../../helpers/tokens.ts'
import type { TestTokens } from '../../helpers/tokens.ts'

const SECOND_MS = 1000
let plane: Plane
let tokens: TestTokens
let doors: Doors
/** All that was answered and logged, and all that must not be in it. */
let said = ''
const secrets: string[] = []

beforeAll(async () => {
  plane = await openPlane()
  await plane.publish('EdDSA')
  await plane.publish('ES256')
  await plane.publish('RS256')
  tokens = createTokens()
  const output = { isTTY: false, writableLength: 0, write: (line: string) => ((said += line), true) }
  const { logger } = createLog('trace', output)
  const config = { ...depsOf().config, jwt: plane.config }
  doors = await openDoors(depsOf({ config, tokens: tokens.store, logger }))
})

afterAll(async () => {
  await doors.close()
  await plane.close()
  tokens.remove()
})

interface Expected {
  readonly status: number
  readonly code?: string
  readonly challenge?: string
  readonly detail?: RegExp
}

const LET_IN: Expected = { status: 200 }
const NOT_LET_IN: Expected = { status: 401, code: 'invalid-credential', challenge: 'error="invalid_token"' }
const because = (detail: RegExp): Expected => ({ ...NOT_LET_IN, detail })
const exp = (seconds: number) => Math.floor(Date.now() / SECOND_MS) + seconds

async function revoked(): Promise<string> {
  const token = await tokens.create('gone')
  await removeToken(tokens.folder, 'gone')
  return token
}

/** Each gets an address of its own, so that the wrong ones of another do not count. */
const matrix: [name: string, credential: () => Promise<string> | string | undefined, expected: Expected][] = [
  ['no credential', () => undefined, { status: 401, code: 'unauthorized', challenge: 'Bearer realm="diagd"' }],
  ['a token that nobody made', () => newToken(), because(/not known here, or is revoked/)],
  ['a revoked token', revoked, because(/not known here, or is revoked/)],
  ['an expired token', () => tokens.create('old', ['bundle'], Date.now() - 1), because(/"old" has expired at 2/)],
  [
    'a token for something else',
    () => tokens.create('reader', ['read', 'upload']),
    { status: 403, code: 'insufficient-scope', challenge: 'error="insufficient_scope", scope="bundle"' },
  ],
  ['a right token', () => tokens.create('right', ['bundle'], Date.now() + 60 * SECOND_MS), LET_IN],
  ['a right token with one letter changed', async () => changed(await tokens.create('near')), NOT_LET_IN],
  [
    'half a token',
    async () => (await tokens.create('half')).slice(0, 20),
    because(/neither a token of diagd nor a JWT/),
  ],
  ['a JWT by EdDSA', () => plane.sign(), LET_IN],
  ['a JWT by ES256', () => plane.sign({}, { algorithm: 'ES256' }), LET_IN],
  ['a JWT by RS256', () => plane.sign({}, { algorithm: 'RS256' }), LET_IN],
  ['a JWT for several nodes and audiences', () => plane.sign({ node: ['a', 'test'], aud: ['x', 'diagd'] }), LET_IN],
  ['a JWT with prefixed scopes among others', () => plane.sign({ scope: ['email', 'diagd:bundle', 7] }), LET_IN],
  ['a JWT with words for scopes', () => plane.sign({ scope: 'email diagd:bundle' }), LET_IN],
  ['a JWT for something else', () => plane.sign({ scope: 'read openid' }), { status: 403, code: 'insufficient-scope' }],
  ['a JWT without a scope', () => plane.sign({ scope: undefined }), { status: 403, code: 'insufficient-scope' }],
  ['an expired JWT', () => plane.sign({ exp: exp(-30) }), because(/"exp" claim/)],
  ['a JWT just expired by another clock', () => plane.sign({ exp: exp(-3) }), LET_IN],
  ['a JWT without an end', () => plane.sign({ exp: undefined }), because(/"exp" claim/)],
  ['a JWT of tomorrow', () => plane.sign({ nbf: exp(86_400) }), because(/"nbf" claim/)],
  ['a JWT of another issuer', () => plane.sign({ iss: 'https://evil.example' }), because(/"iss" claim/)],
  ['a JWT for another audience', () => plane.sign({ aud: 'billing' }), because(/"aud" claim/)],
  [
    'a JWT for another node',
    () => plane.sign({ node: 'test2' }),
    because(/for another node: "node" does not name test/),
  ],
  ['a JWT for no node', () => plane.sign({ node: undefined }), because(/for another node/)],
  ['a JWT for a node of an object', () => plane.sign({ node: { test: true } }), because(/for another node/)],
  ['a JWT signed by nobody', () => plane.unsigned(), because(/is not accepted/)],
  ['a JWT signed with the public key', () => plane.confused(), because(/"alg"/)],
  ['a JWT by an unknown key', () => plane.sign({}, { kid: 'other' }), because(/no applicable key/)],
  ['a JWT that names the key of another', () => plane.sign({}, { kid: 'ES256-1' }), NOT_LET_IN],
  ['a JWT changed on its way', async () => tampered(await plane.sign({ scope: 'read' })), because(/signature/)],
  ['dots', () => '..', because(/is not accepted/)],
]

describe.each(matrix)('%s', (_, credential, expected) => {
  test('through TCP', async () => {
    const answer = await ask(await credential(), '--interface', nextAddress(), url())
    expectAnswer(answer, expected)
  })

  test('through the unix socket, which asks for none', async () => {
    const presented = await credential()
    const { status, body } = await ask(presented, '--unix-socket', doors.socket, 'http://localhost/debug-package')
    expect({ status, body }).toEqual({ status: 200, body: 'bundle' })
  })
})

test('through TLS it is all the same', async () => {
  const authority = createAuthority()
  const tls = { ...authority.sign('server'), clientCa: authority.certificate, clientScopes: ['bundle' as const] }
  const door = await openDoor(
    depsOf({ config: { ...depsOf().config, jwt: plane.config, tls }, tokens: tokens.store }),
    { tls },
  )
  for (const [name, credential, expected] of matrix) {
    const args = ['--cacert', authority.certificate, '--interface', nextAddress()]
    const answer = await ask(await credential(), ...args, `https://127.0.0.1:${door.port()}/debug-package`)
    expectAnswer(answer, expected, name)
  }
})

test('what is not a bearer token is not let in, and is told what is', async () => {
  const token = await tokens.create('other')
  for (const header of [`Basic ${btoa(`a:${token}`)}`, token, `Bearer ${token}, ${token}`, 'Bearer', 'Bearer  ']) {
    const { stdout } = await curl('-i', '--interface', nextAddress(), '-H', `Authorization: ${header}`, url())
    said += stdout.toString()
    expect(stdout.toString()).toContain('HTTP/1.1 401')
  }
  expect(said).toContain('accepted: Bearer TOKEN')
  expect((await ask(token, '--interface', nextAddress(), url())).status).toBe(200)
})

test('a second header does not add a credential to a wrong one', async () => {
  const right = await tokens.create('second')
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(doors.tcp).port), localAddress: nextAddress() })
  socket.write(
    `GET /debug-package HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${newToken()}\r\n` +
      `Authorization: Bearer ${right}\r\nConnection: close\r\n\r\n`,
  )
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[01] /)
})

describe('a credential in the URL is refused, right or wrong, and not repeated', () => {
  test.each(['token', 'access_token', 'Access-Token', 'authorization', 'jwt', 'api_key', 'password', 'only', 'x'])(
    'as ?%s=',
    async (parameter) => {
      const token = await tokens.create(`in-${parameter}`)
      secrets.push(token)
      for (const path of ['/debug-package', '/health', '/nothing']) {
        const { status, body } = await ask(
          undefined,
          '--interface',
          nextAddress(),
          `${doors.tcp}${path}?${parameter}=${token}`,
        )
        expect(status, path).toBe(400)
        expect(JSON.parse(body)).toMatchObject({
          code: 'credential-in-query',
          detail: expect.stringMatching(/Authorization: Bearer .*-H @FILE/),
        })
      }
      const local = `http://localhost/debug-package?${parameter}=${token}`
      expect((await ask(undefined, '--unix-socket', doors.socket, local)).status).toBe(400)
    },
  )

  test('as a secret of any other form, by its name', async () => {
    secrets.push('hush-hush-hush')
    for (const name of ['token', 'X-API-Key', 'client_secret']) {
      const { status, body } = await ask(undefined, '--interface', nextAddress(), `${url()}?${name}=hush-hush-hush`)
      expect(status).toBe(400)
      expect(JSON.parse(body)).toMatchObject({ code: 'credential-in-query', parameter: name })
    }
  })

  test('a JWT under any name, a path that cannot be decoded', async () => {
    const jwt = await plane.sign()
    expect((await ask(undefined, '--interface', nextAddress(), `${url()}?q=${jwt}`)).body).toContain(
      'credential-in-query',
    )
    secrets.push(jwt)
    expect((await ask(undefined, '--interface', nextAddress(), `${doors.tcp}/%zz?token=${jwt}`)).status).toBe(400)
  })

  test('a parameter of no such name passes', async () => {
    const token = await tokens.create('plain')
    expect((await ask(token, '--interface', nextAddress(), `${url()}?only=kernel`)).status).toBe(200)
  })
})

test('no answer and no line of the log holds any part of a credential', () => {
  expect(secrets.length).toBeGreaterThan(50)
  expect(said.match(/"msg":"audit"/g)!.length).toBeGreaterThan(50)
  for (const secret of secrets) {
    for (const part of secret.startsWith('ey') ? secret.split('.').slice(1) : [secret.replace('diagd_', '')]) {
      if (part.length > 8) expect(said.includes(part)).toBe(false)
    }
  }
})

function expectAnswer({ status, head, body }: Answer, expected: Expected, name = ''): void {
  expect({ status, body }, name).toMatchObject({ status: expected.status })
  if (expected.status === 200) return expect(body).toBe('bundle')
  expect(JSON.parse(body), name).toMatchObject({
    code: expected.code,
    detail: expect.stringMatching(expected.detail ?? /./) as string,
  })
  expect(head.toLowerCase(), name).toContain('\r\nwww-authenticate: bearer realm="diagd"')
  expect(head, name).toContain(expected.challenge ?? '')
}

const url = () => `${doors.tcp}/debug-package`

let addresses = 0
/** All of 127.0.0.0/8 is this machine. */
function nextAddress(): string {
  addresses += 1
  return `127.0.1.${addresses}`
}

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

async function ask(credential: string | undefined, ...args: string[]): Promise<Answer> {
  if (credential !== undefined) secrets.push(credential)
  const headers = credential === undefined ? [] : ['-H', `Authorization: Bearer ${credential}`]
  const { stdout } = await curl('-i', ...headers, ...args)
  const answer = stdout.toString()
  said += answer
  const split = answer.indexOf('\r\n\r\n')
  return { status: Number(answer.slice(9, 12)), head: answer.slice(0, split), body: answer.slice(split + 4) }
}

function changed(token: string): string {
  return token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4)
}

/** Asks for more than was signed. */
function tampered(jwt: string): string {
  const [header, payload, signature] = jwt.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const forged = Buffer.from(JSON.stringify({ ...claims, scope: 'bundle' })).toString('base64url')
  return [header, forged, signature].join('.')
}
