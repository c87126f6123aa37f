import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppDeps } from '../../src/http/app.ts'
import { newToken } from '../../src/http/auth/token.ts'
import { createPlaces } from '../../src/http/places.ts'
import { createLog } from '../../src/log.ts'
import { BUNDLE_ID, curl, depsOf, openDoors, resultOf } from '../helpers/http.ts'
import type { Doors } from '../helpers/http.ts'
import { createTokens } from '../helpers/tokens.ts'
import type { TestTokens } from '../helpers/tokens.ts'

let tokens: TestTokens
let doors: Doors
let lines: string[] = []

beforeEach(() => {
  tokens = createTokens()
})
afterEach(async () => {
  await doors.close()
  tokens.remove()
})

async function open(overrides: Partial<AppDeps> = {}, level = 'error'): Promise<void> {
  lines = []
  const { logger } = createLog(level, { writableLength: 0, write: (line) => lines.push(line) > 0 })
  doors = await openDoors(depsOf({ tokens: tokens.store, logger, ...overrides }))
}

const audit = () =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'audit')
const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`]
const local = (path: string) => ['--unix-socket', doors.socket, `http://localhost${path}`]

test('a bundle is one line: who, from where, what, how much, how it ended', async () => {
  await open()
  const token = await tokens.create('alice')
  await curl(
    '-f',
    ...bearer(token),
    `${doors.tcp}/debug-package?only=kernel&since=@1700000000&until=@1700003600&format=tar`,
  )
  expect(audit()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/Z$/),
      credential: 'alice',
      credentialKind: 'token',
      address: '127.0.0.1',
      what: {
        only: ['kernel'],
        skip: [],
        since: '2023-11-14T22:13:20.000Z',
        until: '2023-11-14T23:13:20.000Z',
        format: 'tar',
        limits: 'entry=64MiB,collector=256MiB,bundle=1GiB,command=60s,stall=15s,entries=4096',
        recipients: [],
      },
      bundleId: BUNDLE_ID,
      bytesOut: 6,
      outcome: 'whole',
      durationMs: expect.any(Number),
      msg: 'audit',
    },
  ])
})

test('through the unix socket it has no address', async () => {
  await open()
  await curl('-f', ...local('/debug-package'))
  expect(audit()).toMatchObject([{ credential: 'unix socket', credentialKind: 'local', outcome: 'whole' }])
  expect(audit()[0]).not.toHaveProperty('address')
})

test('under auth: none it says that nobody was asked', async () => {
  await open({ config: { ...depsOf().config, auth: 'none' } })
  await curl('-f', `${doors.tcp}/debug-package`)
  expect(audit()).toMatchObject([{ credential: 'nobody (auth: none)', credentialKind: 'open', address: '127.0.0.1' }])
})

test('a partial bundle, and one that broke off with what had gone out by then', async () => {
  const ends = ['partial', 'engine'] as const
  let time = 0
  await open({
    async collect({ sink }) {
      await sink.write(Buffer.alloc(1000))
      if (ends[time++] === 'engine') throw new Error('the engine broke')
      return { ...resultOf(1000), outcome: 'partial' }
    },
  })
  await curl(...local('/debug-package'))
  await curl(...local('/debug-package'))
  expect(audit()).toMatchObject([
    { outcome: 'partial', bytesOut: 1000 },
    { outcome: 'broken off', bytesOut: 1000, reason: 'the engine broke' },
  ])
})

test('a client that goes away broke it off', async () => {
  const gone = Promise.withResolvers<void>()
  await open({
    async collect({ sink, signal }) {
      await sink.write(Buffer.from('x'))
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))).finally(
        gone.resolve,
      )
      return resultOf(1)
    },
  })
  const controller = new AbortController()
  const token = await tokens.create('alice')
  const response = await fetch(`${doors.tcp}/debug-package`, {
    headers: { authorization: `Bearer ${token}` },
    signal: controller.signal,
  })
  await response.body!.getReader().read()
  controller.abort()
  await gone.promise
  await new Promise(setImmediate)
  expect(audit()).toMatchObject([
    { credential: 'alice', outcome: 'broken off', reason: 'the client is gone', bytesOut: 1 },
  ])
})

describe('who is refused is a line, too', () => {
  test('with the code, the name where there is one, and no part of the credential', async () => {
    await open()
    const wrong = newToken()
    const reader = await tokens.create('reader', ['read'])
    await curl(`${doors.tcp}/debug-package?only=kernel`)
    await curl(...bearer(wrong), `${doors.tcp}/debug-package`)
    await curl(...bearer(reader), `${doors.tcp}/debug-package`)
    await curl('-I', `${doors.tcp}/debug-package`)
    await curl(`${doors.tcp}/nothing?token=${wrong}`)
    const refused = { outcome: 'refused', address: '127.0.0.1' }
    expect(audit()).toMatchObject([
      { ...refused, code: 'unauthorized', method: 'GET', path: '/debug-package' },
      { ...refused, code: 'invalid-credential' },
      { ...refused, code: 'insufficient-scope', credential: 'reader', credentialKind: 'token' },
      { ...refused, code: 'unauthorized', method: 'HEAD' },
      { ...refused, code: 'credential-in-query' },
    ])
    for (const token of [wrong, reader]) expect(lines.join('')).not.toContain(token.slice(6, 16))
  })

  test('a bundle that was not begun: no place, a parameter that is none', async () => {
    await open({ places: createPlaces(0) })
    const token = await tokens.create('alice')
    await curl(...bearer(token), `${doors.tcp}/debug-package`)
    await curl(...bearer(token), `${doors.tcp}/debug-package?format=zip`)
    await curl(`${doors.tcp}/nothing`)
    expect(audit()).toMatchObject([
      { credential: 'alice', outcome: 'refused', code: 'too-many-bundles' },
      {
        credential: 'alice',
        outcome: 'refused',
        code: 'bad-parameter',
        reason: expect.stringContaining('zip') as string,
      },
    ])
  })

  test('more than sixty in a minute are counted, and a bundle is told all the same', async () => {
    await open()
    for (let time = 0; time < 65; time++) await fetch(`${doors.tcp}/debug-package`).then((answer) => answer.text())
    expect(audit()).toHaveLength(60)
    await curl('-f', ...local('/debug-package'))
    expect(audit()).toHaveLength(61)
  })
})

test('a line of the log shows of a request neither headers nor query', () => {
  const { logger } = createLog('info', { writableLength: 0, write: (line) => lines.push(line) > 0 })
  lines = []
  logger.info({ req: { method: 'GET', url: '/a?token=hush', headers: { authorization: 'Bearer hush' } } }, 'asked')
  expect(JSON.parse(lines[0]!)).toMatchObject({ req: { method: 'GET', path: '/a' } })
  expect(lines[0]).not.toContain('hush')
})
