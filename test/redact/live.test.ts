/** Known values are masked in every notation, and only where they stand by themselves. */
import { describe, expect, it, test } from 'vitest'
import { isTelling, liveRule, withinBounds } from '../../src/redact/live.ts'
import { createRedactor } from '../../src/redact/redactor.ts'

const VALUE = 'q"7/R\u00e4t+Zk9&mB x'
const MASK = /<masked:live-value:[0-9a-f]{6}>/g

function masked(text: string, values: readonly string[]): string {
  const redact = createRedactor(liveRule(values), Buffer.alloc(32, 7))
  const bytes = Buffer.from(text)
  const stretch = { bytes, from: 0, to: bytes.length, final: true, carry: { sentTo: 0, pending: [] } }
  return Buffer.from(redact(stretch).bytes).toString()
}

function blanked(text: string, values: readonly string[]): string {
  return masked(text, values).replaceAll(MASK, '§')
}

describe('notations', () => {
  const json = JSON.stringify(VALUE).slice(1, -1)
  it.each([
    ['as it is', VALUE],
    ['in JSON', json],
    ['in JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['in a URL', encodeURIComponent(VALUE)],
    ['in base64', Buffer.from(VALUE).toString('base64').replace(/=+$/, '')],
  ])('%s', (_, notation) => expect(blanked(`a "${notation}" b\n`, [VALUE])).toBe('a "§" b\n'))

  it('leaves nothing of its last bytes, whatever its length', () => {
    for (let length = 8; length < 40; length++) {
      const value = 'aB3$'.repeat(10).slice(0, length)
      const encoded = Buffer.from(value).toString('base64')
      expect(blanked(`x=${encoded.replace(/=+$/, '')} ${encoded};`, [value])).toMatch(/^x=§ §=*;$/)
    }
  })
})

test('equal values, equal masks', () => {
  const masks = masked('s3cr3t-Value9 and s3cr3t-Value9, not other-Value10', ['s3cr3t-Value9', 'other-Value10']).match(
    MASK,
  )!
  expect(masks).toHaveLength(3)
  expect(masks[0]).toBe(masks[1])
  expect(masks[0]).not.toBe(masks[2])
})

describe('its borders', () => {
  it.each([
    ['xs3cr3t-Value9', 'xs3cr3t-Value9'],
    ['s3cr3t-Value99', 's3cr3t-Value99'],
    ['_s3cr3t-Value9_', '_§_'],
    ['="s3cr3t-Value9"', '="§"'],
    [String.raw`a\ns3cr3t-Value9\n`, String.raw`a\n§\n`],
    ['s3cr3t-Value9', '§'],
    ['S3CR3T-VALUE9', 'S3CR3T-VALUE9'],
  ])('%j', (text, expected) => expect(blanked(text, ['s3cr3t-Value9'])).toBe(expected))

  it('takes the longest where one value begins with the other', () => {
    expect(blanked('s3cr3t-Value9-long s3cr3t-Value9', ['s3cr3t-Value9', 's3cr3t-Value9-long'])).toBe('§ §')
  })
})

test('takes the longest of those that begin alike far beyond their first letters, in any order', () => {
  const short = 's3cr3t-Value9-abcdefghijk-lmn'
  const long = `${short}-opq`
  for (const values of [
    [long, short],
    [short, long],
  ])
    expect(blanked(`${long} ${short}`, values)).toBe('§ §')
})

test.each([
  ['of several lines', 'Value-9\nValue-10', false],
  ['with a NUL', 'Value-9\0Value-10', false],
  ['of 4096 characters', 'aB3$'.repeat(1024), true],
  ['that is longer', `${'aB3$'.repeat(1024)}x`, false],
])('a value %s', (_, value, telling) => {
  expect(isTelling(value)).toBe(telling)
  expect(blanked(`it is ${value}.`, [value])).toBe(telling ? 'it is §.' : `it is ${value}.`)
})

describe('what would hide the evidence is no secret', () => {
  it.each(
    `postgres password changeme 123456 1234567 true false localhost production administrator my-app some_user
    /run/secrets/pw /var/lib/app a1b2 development Postgres`.split(/\s+/),
  )('%s', (value) => {
    expect(isTelling(value)).toBe(false)
    expect(masked(`it is ${value}.`, [value])).toBe(`it is ${value}.`)
  })

  it.each([
    's3cr3t-Value9',
    '0123456789abcdef0123456789abcdef',
    'hUnTeRxYz',
    'abcd1234',
    '123456789012',
    'correcthorsebatterystaple',
    'p\u00e4ssw\u00f6rter',
    'two words 9',
  ])('%s is one', (value) => {
    expect(isTelling(value)).toBe(true)
    expect(blanked(`it is ${value}.`, [value])).toBe('it is §.')
  })
})

test('no values, no rule', () => expect(liveRule(['postgres', ''])).toEqual([]))

test('ten thousand values that begin alike, at once', () => {
  const values = Array.from({ length: 10_000 }, (_, index) => `Value-${index}-x7Q`)
  expect(blanked(values.join('\n'), values)).toBe(values.map(() => '§').join('\n'))
})

test('of values that begin with each other, the longest that stands by itself', () => {
  const values = ['aB3$aB3$', 'aB3$aB3$-', 'aB3$aB3$-x7', 'aB3$aB3$-x7.y', 'aB3$aB4$']
  const text = 'aB3$aB3$ aB3$aB3$-! aB3$aB3$-x9 aB3$aB3$-x7.yy aB3$aB3$-x7.y aB3$aB5$ aB3$aB4$'
  expect(blanked(text, values)).toBe('§ §! §x9 §.yy § aB3$aB5$ §')
})

describe('more values than are looked for', () => {
  const many = Array.from({ length: 10_003 }, (_, index) => `Value-${index}-x7Q`)

  it('are counted, and not left out without a word', () => {
    const { values, left } = withinBounds(['postgres', ...many, ...many])
    expect([values.length, values[0], left]).toEqual([10_000, 'Value-0-x7Q', 3])
    expect(() => liveRule(many)).toThrow('3 values more than the 10000 that are looked for')
    expect(liveRule(values)).toHaveLength(1)
  })

  it('are those of more letters, too', () => {
    const long = Array.from({ length: 1100 }, (_, index) => `${index}-x7Q`.padEnd(4096, 'z'))
    expect(withinBounds(long)).toEqual({ values: long.slice(0, 1024), left: 76 })
  })
})
