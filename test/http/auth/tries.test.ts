import { afterEach, describe, expect, test } from 'vitest'
import { digestOf, newToken } from '../../../src/http/auth/token.ts'
import { createTries, networkOf } from '../../../src/http/auth/tries.ts'
import type { Tries } from '../../../src/http/auth/tries.ts'
import { curl, depsOf, openDoors } from '../../helpers/http.ts'
import type { Doors } from '../../helpers/http.ts'
import { createTokens } from '../../helpers/tokens.ts'
import type { TestTokens } from '../../helpers/tokens.ts'

const digest = (text = 'a') => digestOf(text)

function fail(tries: Tries, times: number, address = '192.0.2.1', of: (time: number) => Buffer = () => digest()): void {
  for (let time = 0; time < times; time++) tries.failed(address, of(time))
}

describe('counting', () => {
  test('ten are free, then the address waits until the minute is over', () => {
    let nowMs = 5000
    const tries = createTries(false, () => nowMs)
    fail(tries, 9)
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBeUndefined()
    nowMs += 20_000
    fail(tries, 1)
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBe(40)
    expect(tries.blockedSeconds('192.0.2.2', digest('b'))).toBeUndefined()
    nowMs += 40_000
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBeUndefined()
    fail(tries, 9)
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBeUndefined()
  })

  test('a credential that was right goes on from there, until it is wrong', () => {
    const tries = createTries(false)
    tries.succeeded('192.0.2.1', digest('right'))
    fail(tries, 100)
    expect(tries.blockedSeconds('192.0.2.1', digest('right'))).toBeUndefined()
    expect(tries.blockedSeconds('192.0.2.1', digest('other'))).toBeGreaterThan(0)
    tries.failed('192.0.2.1', digest('right'))
    expect(tries.blockedSeconds('192.0.2.1', digest('right'))).toBeGreaterThan(0)
  })

  test('all addresses of an IPv6 network are one, and an IPv4 one is itself in either dress', () => {
    const tries = createTries(false)
    fail(tries, 10, '2001:db8:1:2::1')
    expect(tries.blockedSeconds('2001:db8:1:2:ffff::9', digest('b'))).toBeGreaterThan(0)
    expect(tries.blockedSeconds('2001:db8:1:3::1', digest('b'))).toBeUndefined()
    fail(tries, 10, '::ffff:192.0.2.7')
    expect(tries.blockedSeconds('192.0.2.7', digest('b'))).toBeGreaterThan(0)
    expect(tries.blockedSeconds('192.0.2.8', digest('b'))).toBeUndefined()
  })

  test.each([
    ['::1', '0:0:0:0::/64'],
    ['2001:DB8::1:2', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['10.0.0.1', '10.0.0.1'],
    ['', ''],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test('behind a proxy the ten are for one credential, and six hundred for all', () => {
    const tries = createTries(true)
    fail(tries, 10)
    expect(tries.blockedSeconds('192.0.2.1', digest())).toBeGreaterThan(0)
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBeUndefined()
    fail(tries, 590, '192.0.2.1', (time) => digest(`guess ${time}`))
    expect(tries.blockedSeconds('192.0.2.1', digest('b'))).toBeGreaterThan(0)
  })

  test('the memory of it is bounded: the oldest address is forgotten', () => {
    const tries = createTries(false)
    for (let address = 0; address < 4097; address++) fail(tries, 10, `10.0.${address >> 8}.${address & 255}`)
    expect(tries.blockedSeconds('10.0.0.0', digest('b'))).toBeUndefined()
    expect(tries.blockedSeconds('10.0.0.1', digest('b'))).toBeGreaterThan(0)
    expect(tries.blockedSeconds('10.0.16.0', digest('b'))).toBeGreaterThan(0)
  })
})

describe('over real sockets', () => {
  let doors: Doors
  let tokens: TestTokens
  afterEach(async () => {
    await doors.close()
    tokens.remove()
  })

  async function open(tls?: 'terminated-upstream'): Promise<void> {
    tokens = createTokens()
    doors = await openDoors(depsOf({ tokens: tokens.store, config: { ...depsOf().config, tls } }))
  }

  async function ask(token: string | undefined, address = '127.0.0.1'): Promise<string> {
    const header = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`]
    const { stdout } = await curl('-i', '--interface', address, ...header, `${doors.tcp}/debug-package`)
    return stdout.toString()
  }

  test('after ten wrong ones an address waits, whatever it presents; another does not, and who was right before neither', async () => {
    await open()
    const [proven, right] = [await tokens.create('proven'), await tokens.create('right')]
    expect(await ask(proven)).toMatch(/^HTTP\/1\.1 200 /)
    for (let time = 0; time < 10; time++) expect(await ask(newToken())).toMatch(/^HTTP\/1\.1 401 /)
    expect(await ask(newToken())).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: \d\d\r\n[^]*"code":"too-many-tries"/i)
    expect(await ask(right)).toMatch(/^HTTP\/1\.1 429 /)
    expect(await ask(right, '127.0.0.2')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask(proven)).toMatch(/^HTTP\/1\.1 200 /)
    expect((await curl('-f', `${doors.tcp}/health`)).code).toBe(0)
    expect((await curl('-f', '--unix-socket', doors.socket, 'http://localhost/debug-package')).code).toBe(0)
  })

  test('to ask without a credential, or for what the credential is not good for, is no try', async () => {
    await open()
    const reader = await tokens.create('reader', ['read'])
    for (let time = 0; time < 11; time++) expect(await ask(undefined)).toMatch(/^HTTP\/1\.1 401 /)
    for (let time = 0; time < 11; time++) expect(await ask(reader)).toMatch(/^HTTP\/1\.1 403 /)
    expect(await ask(await tokens.create('right'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('behind a proxy a stranger locks nobody out', async () => {
    await open('terminated-upstream')
    const right = await tokens.create('right')
    const wrong = newToken()
    for (let time = 0; time < 10; time++) expect(await ask(wrong)).toMatch(/^HTTP\/1\.1 401 /)
    expect(await ask(wrong)).toMatch(/^HTTP\/1\.1 429 /)
    expect(await ask(right)).toMatch(/^HTTP\/1\.1 200 /)
  })
})
