import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Scope } from '../../../src/config/scopes.ts'
import { parseTls } from '../../../src/config/tls.ts'
import { newToken } from '../../../src/http/auth/token.ts'
import { createLog } from '../../../src/log.ts'
import { curl, depsOf } from '../../helpers/http.ts'
import { createAuthority, openDoor, pem } from '../../helpers/tls.ts'
import type { Pair } from '../../helpers/tls.ts'
import { createTokens } from '../../helpers/tokens.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function open({ clientScopes }: { clientScopes?: readonly Scope[] } = {}) {
  const authority = createAuthority()
  const clients = createAuthority('the clients')
  const { certificate, key } = authority.sign('server')
  const tls = parseTls({ certificate, key, clientCa: clients.certificate, ...(clientScopes ? { clientScopes } : {}) })
  if (typeof tls !== 'object') throw new Error('no TLS')
  const lines: string[] = []
  const { logger } = createLog('warn', { writableLength: 0, write: (line) => lines.push(line) > 0 })
  const tokens = createTokens()
  onTestFinished(() => tokens.remove())
  const door = await openDoor(depsOf({ config: { ...depsOf().config, tls }, tokens: tokens.store, logger }), { tls })
  const ask = async (...args: string[]) =>
    (await curl('-i', '--cacert', authority.certificate, ...args, `${door.url()}/debug-package`)).stdout.toString()
  return { authority, clients, tokens, door, ask, audit: () => lines.map((line) => JSON.parse(line) as object) }
}

const show = ({ certificate, key }: Pair) => ['--cert', certificate, '--key', key]

test('has the name of its subject, and bundle and read unless the configuration says otherwise', async () => {
  const { clients, ask, audit } = await open()
  expect(await ask(...show(clients.sign('alice', { subject: '/O=ops/CN=alice' })))).toMatch(/^HTTP\/1\.1 200 /)
  expect(audit()).toMatchObject([
    { msg: 'audit', credential: 'alice', credentialKind: 'certificate', outcome: 'whole' },
  ])
})

test('without a common name it is called by its fingerprint', async () => {
  const { clients, ask, audit } = await open()
  expect(await ask(...show(clients.sign('nameless', { subject: '/O=ops' })))).toMatch(/^HTTP\/1\.1 200 /)
  expect(audit()).toMatchObject([{ credential: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string }])
})

test('has the scopes of the configuration', async () => {
  const { clients, ask } = await open({ clientScopes: ['read', 'upload'] })
  const answer = await ask(...show(clients.sign('alice')))
  expect(answer).toMatch(/^HTTP\/1\.1 403 [^]*this needs the scope bundle; the credential has read, upload/)
})

test('that is not accepted is told why, and counts as a wrong credential', async () => {
  const { authority, clients, ask } = await open()
  const [stranger, old] = [authority.sign('stranger'), clients.sign('old', { days: -1 })]
  expect(await ask(...show(old))).toMatch(/^HTTP\/1\.1 401 [^]*"code":"invalid-credential"[^]*CERT_HAS_EXPIRED/)
  for (let time = 0; time < 9; time++) {
    expect(await ask(...show(stranger))).toMatch(/^HTTP\/1\.1 401 [^]*the client certificate is not accepted/)
  }
  expect(await ask(...show(stranger))).toMatch(/^HTTP\/1\.1 429 /)
})

test('a token beside it counts alone', async () => {
  const { authority, clients, tokens, ask, audit } = await open({ clientScopes: ['read'] })
  const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`]
  const token = await tokens.create('ops')
  expect(await ask(...show(clients.sign('reader')), ...bearer(token))).toMatch(/^HTTP\/1\.1 200 /)
  expect(await ask(...show(authority.sign('stranger')), ...bearer(token))).toMatch(/^HTTP\/1\.1 200 /)
  expect(audit()).toMatchObject([{ credential: 'ops' }, { credential: 'ops' }])
  expect(await ask(...show(clients.sign('reader2')), ...bearer(newToken()))).toMatch(/^HTTP\/1\.1 401 /)
})

test('opens a resumed session too, and nothing once it has expired', async () => {
  const { authority, clients, door } = await open()
  const { certificate, key } = clients.sign('alice', { days: 2 })
  const options = {
    port: door.port(),
    host: '127.0.0.1',
    ca: pem(authority.certificate),
    cert: pem(certificate),
    key: pem(key),
  }
  const get = async (socket: TLSSocket) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const asked = request({ path: '/debug-package', createConnection: () => socket }, (response) => {
      void text(response).then((body) => resolve(`${response.statusCode} ${body}`))
    })
    asked.setHeader('host', 'localhost')
    asked.end()
    return promise
  }
  let session: Buffer | undefined
  const first = connect(options).on('session', (ticket) => (session = ticket))
  expect(await get(first)).toBe('200 bundle')
  expect(session).toBeDefined()

  const resumed = connect({ ...options, session: session! })
  expect(await get(resumed)).toBe('200 bundle')
  expect(resumed.isSessionReused()).toBe(true)

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 })
  const late = connect({ ...options, session: session!, rejectUnauthorized: false })
  expect(await get(late)).toMatch(/^401 .*expired/i)
})
