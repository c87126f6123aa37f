import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { curl, depsOf, openDoors } from '../../helpers/http.ts'
import type { Doors } from '../../helpers/http.ts'
import { openPlane } from '../../helpers/plane.ts'
import type { Plane } from '../../helpers/plane.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let plane: Plane
let doors: Doors

beforeEach(async () => {
  // The clock alone: sockets and timers are real, and nobody waits for ten minutes.
  vi.useFakeTimers({ toFake: ['Date'] })
  plane = await openPlane()
  await plane.publish('EdDSA')
  doors = await openDoors(depsOf({ config: { ...depsOf().config, jwt: plane.config } }))
})

afterEach(async () => {
  vi.useRealTimers()
  await doors.close()
  await plane.close()
})

const later = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds)

async function ask(jwt: string): Promise<string> {
  const { stdout } = await curl('-i', '-H', `Authorization: Bearer ${jwt}`, `${doors.tcp}/debug-package`)
  return stdout.toString()
}

const LET_IN = /^HTTP\/1\.1 200 /
const NOT_LET_IN = /^HTTP\/1\.1 401 /
const UNKNOWN = /^HTTP\/1\.1 503 [^]*retry-after: 5\r\n[^]*"code":"keys-unreachable"/i

test('the keys are fetched when the first JWT comes, and not for every one', async () => {
  expect(plane.fetches()).toBe(0)
  for (let time = 0; time < 3; time++) expect(await ask(await plane.sign())).toMatch(LET_IN)
  expect(plane.fetches()).toBe(1)
})

test('what cannot be right is refused without asking anybody for keys', async () => {
  for (const jwt of [plane.unsigned(), 'a.b.c']) expect(await ask(jwt)).toMatch(NOT_LET_IN)
  expect(plane.fetches()).toBe(0)
})

describe('keys rotate while diagd runs', () => {
  test('a new key is fetched when a JWT names it, the old one goes on', async () => {
    const before = await plane.sign()
    expect(await ask(before)).toMatch(LET_IN)
    await plane.publish('EdDSA')
    later(31 * SECOND)
    expect(await ask(await plane.sign())).toMatch(LET_IN)
    expect(await ask(before)).toMatch(LET_IN)
    expect(plane.fetches()).toBe(2)
  })

  test('a key that is taken back opens nothing after ten minutes', async () => {
    const kid = await plane.publish('ES256')
    const old = await plane.sign({ exp: Math.floor(Date.now() / 1000) + 7200 }, { algorithm: 'ES256', kid })
    expect(await ask(old)).toMatch(LET_IN)
    await plane.publish('EdDSA', { alone: true })
    later(11 * MINUTE)
    expect(await ask(old)).toMatch(NOT_LET_IN)
    expect(await ask(await plane.sign())).toMatch(LET_IN)
  })

  test('a stranger who names keys that do not exist makes diagd ask once', async () => {
    expect(await ask(await plane.sign())).toMatch(LET_IN)
    for (let time = 0; time < 5; time++)
      expect(await ask(await plane.sign({}, { kid: `no-${time}` }))).toMatch(NOT_LET_IN)
    expect(plane.fetches()).toBe(1)
  })
})

describe('without keys nobody is let in and nobody refused', () => {
  test.each<[string, (at: Plane) => Promise<void> | void]>([
    ['an error', (at: Plane) => at.answer(500)],
    ['no JSON', (at: Plane) => at.answer(200, '<html>')],
    ['no keys', (at: Plane) => at.answer(200, '{"keys":"none"}')],
    ['a redirect', (at: Plane) => at.answer(302, '', { location: `${at.config.jwksUrl}?x` })],
    ['nothing, for it is away', (at: Plane) => at.close()],
  ])('where the control plane answers with %s', async (_, spoil) => {
    const jwt = await plane.sign()
    await spoil(plane)
    expect(await ask(jwt)).toMatch(UNKNOWN)
    // Nobody waits for the next fetch at once, and nothing of this was a wrong credential.
    const fetched = plane.fetches()
    for (let time = 0; time < 12; time++) expect(await ask(jwt)).toMatch(UNKNOWN)
    expect(plane.fetches()).toBe(fetched)
  })

  test('where it does not answer at all', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      silent.close()
      silent.closeAllConnections()
    })
    const jwksUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`
    const other = await openDoors(depsOf({ config: { ...depsOf().config, jwt: { ...plane.config, jwksUrl } } }))
    onTestFinished(other.close)
    const { stdout } = await curl(
      '-i',
      '-H',
      `Authorization: Bearer ${await plane.sign()}`,
      `${other.tcp}/debug-package`,
    )
    expect(stdout.toString()).toMatch(UNKNOWN)
  })

  test('until it is back', async () => {
    const jwt = await plane.sign()
    const { port } = new URL(plane.config.jwksUrl)
    await plane.close()
    expect(await ask(jwt)).toMatch(UNKNOWN)
    const again = await openPlane({}, Number(port))
    await again.publish('EdDSA')
    onTestFinished(again.close)
    later(6 * SECOND)
    expect(await ask(await again.sign())).toMatch(LET_IN)
  })
})

test('keys that were good stay good for a day while the control plane is away, and no longer', async () => {
  expect(await ask(await plane.sign())).toMatch(LET_IN)
  plane.answer(502)
  later(11 * MINUTE)
  expect(await ask(await plane.sign())).toMatch(LET_IN)
  expect(plane.fetches()).toBe(2)
  expect(await ask(await plane.sign({ node: 'other' }))).toMatch(NOT_LET_IN)
  later(23 * HOUR)
  expect(await ask(await plane.sign())).toMatch(LET_IN)
  later(HOUR)
  expect(await ask(await plane.sign())).toMatch(UNKNOWN)
})

test('algorithms that the configuration does not name are refused', async () => {
  await plane.publish('RS256')
  const config = { ...depsOf().config, jwt: { ...plane.config, algorithms: ['EdDSA' as const] } }
  const narrow = await openDoors(depsOf({ config }))
  onTestFinished(narrow.close)
  const { stdout } = await curl(
    '-i',
    '-H',
    `Authorization: Bearer ${await plane.sign({}, { algorithm: 'RS256' })}`,
    `${narrow.tcp}/debug-package`,
  )
  expect(stdout.toString()).toMatch(NOT_LET_IN)
})

test('other names of the claims, where the configuration has them', async () => {
  const config = { ...depsOf().config, jwt: { ...plane.config, nodeClaim: 'urn:node', scopeClaim: 'scp' } }
  const other = await openDoors(depsOf({ config }))
  onTestFinished(other.close)
  const jwt = await plane.sign({ node: 'x', 'urn:node': 'test', scope: 'read', scp: ['bundle'] })
  const { code } = await curl('-f', '-H', `Authorization: Bearer ${jwt}`, `${other.tcp}/debug-package`)
  expect(code).toBe(0)
})

test('a JWT is not accepted where the configuration has no control plane', async () => {
  const none = await openDoors(depsOf())
  onTestFinished(none.close)
  const { stdout } = await curl('-i', '-H', `Authorization: Bearer ${await plane.sign()}`, `${none.tcp}/debug-package`)
  expect(stdout.toString()).toMatch(/^HTTP\/1\.1 401 [^]*the key jwt of config\.yaml is not set/)
})
