import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removeToken } from '../../../src/http/auth/token-files.ts'
import { createTokenStore } from '../../../src/http/auth/token-store.ts'
import { digestOf, isToken, newToken } from '../../../src/http/auth/token.ts'
import { createTokens } from '../../helpers/tokens.ts'
import type { TestTokens } from '../../helpers/tokens.ts'

const uid = process.getuid!()
let tokens: TestTokens
const file = (name: string) => join(tokens.folder, `${name}.yaml`)
const find = (token: string) => tokens.store.find(digestOf(token))

beforeEach(() => {
  tokens = createTokens()
})
afterEach(() => tokens.remove())

test('a token is 32 random bytes behind a prefix that scanners of secrets know', () => {
  const made = Array.from({ length: 100 }, newToken)
  expect(new Set(made).size).toBe(100)
  for (const token of made) expect(isToken(token)).toBe(true)
  for (const bytes of made.map((token) => Buffer.from(token.slice(6), 'base64url'))) expect(bytes.length).toBe(32)
})

test('without a folder there are no tokens, and nothing is wrong', async () => {
  expect(await find(newToken())).toBeUndefined()
  expect(tokens.store.problems()).toEqual([])
})

test('what is kept is a digest, for root or the user alone', async () => {
  const token = await tokens.create('ops', ['read', 'bundle'], Date.UTC(2030, 0))
  const text = readFileSync(file('ops'), 'utf8')
  expect(text).toMatch(
    /^sha256: [0-9a-f]{64}\nscopes:\n {2}- read\n {2}- bundle\ncreated: 20\S+Z\nexpires: 2030-01-01T00:00:00.000Z\n$/,
  )
  expect(text).not.toContain(token.slice(6, 16))
  expect(statSync(file('ops')).mode & 0o777).toBe(0o600)
  expect(statSync(tokens.folder).mode & 0o777).toBe(0o700)
  expect(await find(token)).toMatchObject({ name: 'ops', scopes: ['bundle', 'read'], expiresMs: Date.UTC(2030, 0) })
})

test('one that is created, changed or removed counts at the next look', async () => {
  const first = await tokens.create('first')
  expect(await find(first)).toMatchObject({ name: 'first' })
  const second = await tokens.create('second')
  expect(await find(second)).toMatchObject({ name: 'second' })
  writeFileSync(file('second'), readFileSync(file('second'), 'utf8').replace('- bundle', '- read'))
  expect(await find(second)).toMatchObject({ scopes: ['read'] })
  renameSync(file('second'), file('third'))
  expect(await find(second)).toMatchObject({ name: 'third' })
  expect(await removeToken(tokens.folder, 'third')).toBe(true)
  expect(await removeToken(tokens.folder, 'third')).toBe(false)
  expect(await find(second)).toBeUndefined()
  rmSync(tokens.folder, { recursive: true })
  expect(await find(first)).toBeUndefined()
})

test('a name that is there is never replaced', async () => {
  const { writeToken } = await import('../../../src/http/auth/token-files.ts')
  const token = await tokens.create('ops')
  const other = { name: 'ops', digest: digestOf('x'), scopes: ['bundle'], createdMs: 0, expiresMs: Infinity } as const
  await expect(writeToken(tokens.folder, other)).rejects.toThrow('EEXIST')
  expect(await find(token)).toMatchObject({ name: 'ops' })
})

describe('what cannot be trusted or understood opens nothing, and is a problem', () => {
  test.each<[string, RegExp, () => void]>([
    ['a file that others may write', /ops\.yaml is not used: others may write it/, () => chmodSync(file('ops'), 0o602)],
    [
      'a folder that others may write',
      /tokens\.d is not used: others may write it/,
      () => chmodSync(tokens.folder, 0o777),
    ],
    [
      'a link',
      /ops\.yaml is not used: it is not a regular file/,
      () => {
        renameSync(file('ops'), join(dirname(tokens.folder), 'elsewhere'))
        symlinkSync('../elsewhere', file('ops'))
      },
    ],
    ['no YAML', /ops\.yaml is not used: /, () => writeFileSync(file('ops'), '{a')],
    ['a list', /ops\.yaml is not used: is not a mapping/, () => writeFileSync(file('ops'), '[]')],
    ['an empty file', /ops\.yaml is not used: is not a mapping/, () => writeFileSync(file('ops'), '')],
    ['a key too many', /ops\.yaml is not used: .*admin/, () => append('admin: true\n')],
    ['a scope that is none', /ops\.yaml is not used: .*"all" is not a scope/, () => edit('- bundle', '- all')],
    ['no scopes', /ops\.yaml is not used: .*scopes/, () => edit('scopes:\n  - bundle\n', '')],
    ['half a digest', /ops\.yaml is not used: .*sha256 is not a SHA-256/, () => edit(/sha256: .{9}/, 'sha256: ')],
    ['an expiry in words', /ops\.yaml is not used: .*expires is not a time/, () => append('expires: never\n')],
    ['a file too large', /ops\.yaml is not used: is larger than 4096 bytes/, () => append(`#${'x'.repeat(5000)}\n`)],
    [
      'another name',
      /ops\.txt is not used: its name is not NAME\.yaml/,
      () => renameSync(file('ops'), join(tokens.folder, 'ops.txt')),
    ],
  ])('%s', async (_, problem, spoil) => {
    const token = await tokens.create('ops')
    expect(await find(token)).toMatchObject({ name: 'ops' })
    spoil()
    expect(await find(token)).toBeUndefined()
    expect(tokens.store.problems()).toEqual([expect.stringMatching(problem)])
  })

  test.runIf(uid === 0)('a file of somebody else', async () => {
    const token = await tokens.create('ops')
    chownSync(file('ops'), 4711, 4711)
    expect(await find(token)).toBeUndefined()
    expect(tokens.store.problems()).toEqual([expect.stringContaining('it belongs to uid 4711')])
  })

  test('a bad one does not spoil the others, and is told once', async () => {
    const told: string[] = []
    const store = createTokenStore(tokens.folder, uid, (problem) => told.push(problem))
    const token = await tokens.create('good')
    mkdirSync(file('bad'))
    for (let time = 0; time < 3; time++) expect(await store.find(digestOf(token))).toMatchObject({ name: 'good' })
    expect(told).toHaveLength(1)
    rmSync(file('bad'), { recursive: true })
    await store.all()
    expect(store.problems()).toEqual([])
  })

  test('more than 256 are too many to compare', async () => {
    const template = await tokens.create('a-000').then(() => readFileSync(file('a-000'), 'utf8'))
    for (let index = 1; index < 257; index++) writeFileSync(file(`a-${index}`), template, { mode: 0o600 })
    expect(await tokens.store.all()).toHaveLength(256)
    expect(tokens.store.problems()).toEqual([expect.stringContaining('1 tokens over the limit of 256')])
  })
})

function edit(what: string | RegExp, by: string): void {
  writeFileSync(file('ops'), readFileSync(file('ops'), 'utf8').replace(what, by))
}

function append(text: string): void {
  writeFileSync(file('ops'), readFileSync(file('ops'), 'utf8') + text)
}
