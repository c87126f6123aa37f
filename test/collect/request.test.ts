import { describe, expect, test } from 'vitest'
import { parseBundleRequest, UsageError } from '../../src/collect/request.ts'
import type { Parameters } from '../../src/collect/request.ts'
import { DEFAULT_LIMITS } from '../../src/config/limits.ts'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const HOUR = 3_600_000
const facts = { nowMs: NOW, collectorIds: ['kernel', 'boot', 'journal'], defaults: DEFAULT_LIMITS }
const parse = (parameters: Parameters) => parseBundleRequest(parameters, facts)

function refusal(parameters: Parameters): UsageError {
  try {
    parse(parameters)
  } catch (error) {
    return error as UsageError
  }
  throw new Error('it was accepted')
}

test('wishes nothing: everything, of the last 24 hours, as tar.gz at level 6', () => {
  expect(parse({})).toEqual({
    only: undefined,
    skip: [],
    sinceMs: NOW - 24 * HOUR,
    untilMs: NOW,
    format: 'tar.gz',
    compression: 6,
    limits: DEFAULT_LIMITS,
    recipients: [],
    pseudonymize: false,
    unmasked: false,
  })
})

test('refuses a parameter it does not know, and says which it knows', () => {
  const error = refusal({ sinc: '2h' })
  expect(error).toMatchObject({ code: 'bad-parameter', parameter: 'sinc' })
  expect(error.message).toBe(
    'sinc: is not a parameter; accepted: only, skip, since, until, around, format, compression, limits, recipient, pseudonymize',
  )
})

test('knows yes and no of a flag', () => {
  for (const yes of ['', '1', 'true', 'yes']) expect(parse({ pseudonymize: yes })).toMatchObject({ pseudonymize: true })
  for (const no of ['0', 'false', 'no']) expect(parse({ pseudonymize: no })).toMatchObject({ pseudonymize: false })
  expect(refusal({ pseudonymize: 'perhaps' }).message).toBe(
    'pseudonymize: "perhaps" is neither yes nor no; accepted: 1, true, yes, 0, false, no',
  )
})

test('cannot wish for a bundle that is not masked', () => {
  expect(refusal({ unmasked: '1' })).toMatchObject({ parameter: 'unmasked' })
})

test('shows no control characters of what it refuses', () => {
  expect(refusal({ '\u001b[2J': '' }).message).not.toContain('\u001b')
  expect(refusal({ format: '\u001b[2J' }).message).not.toContain('\u001b')
  expect(refusal({ limits: 'entry=\u001b[2J' }).message).not.toContain('\u001b')
})

test('takes collectors from a list, from several parameters, once each', () => {
  expect(parse({ only: ['kernel,boot', 'kernel'], skip: 'extras' })).toMatchObject({
    only: ['kernel', 'boot'],
    skip: ['extras'],
  })
})

test.each(['only', 'skip'])('refuses an unknown collector in %s, and names the known ones', (name) => {
  expect(refusal({ [name]: 'kernel,kernal' })).toMatchObject({
    parameter: name,
    message: `${name}: "kernal" is not a collector; accepted: boot, journal, kernel, extras`,
  })
  expect(refusal({ [name]: '' }).parameter).toBe(name)
})

test.each([
  ['30s', NOW - 30_000],
  ['90m', NOW - 1.5 * HOUR],
  ['2h', NOW - 2 * HOUR],
  ['7d', NOW - 7 * 24 * HOUR],
  ['1w', NOW - 7 * 24 * HOUR],
  ['@1767225600', 1_767_225_600_000],
  ['@1767225600.5', 1_767_225_600_500],
  ['2026-06-15', Date.parse('2026-06-15T00:00:00Z')],
  ['2026-06-15T10:00', Date.parse('2026-06-15T10:00:00Z')],
  ['2026-06-15 10:00:30', Date.parse('2026-06-15T10:00:30Z')],
  ['2026-06-15T10:00:30.250Z', Date.parse('2026-06-15T10:00:30.250Z')],
  ['2026-06-15T10:00:00+02:00', Date.parse('2026-06-15T08:00:00Z')],
  ['2026-06-15T10:00:00-0230', Date.parse('2026-06-15T12:30:00Z')],
])('understands since=%s', (since, sinceMs) => {
  expect(parse({ since, until: '2026-06-15T23:00Z' }).sinceMs).toBe(sinceMs)
})

test('takes a "+" that a query string turned into a space for a "+"', () => {
  expect(parse({ since: '2026-06-15T10:00:00 02:00' }).sinceMs).toBe(Date.parse('2026-06-15T08:00:00Z'))
})

test.each(['yesterday', '2', '2x', '-2h', '2026-02-30', '2026-13-01', '2026-06-15T25:00', '@', '', '1999999w'])(
  'refuses since=%s',
  (since) => {
    expect(refusal({ since })).toMatchObject({
      parameter: 'since',
      message: expect.stringContaining('accepted: 30s, 90m'),
    })
  },
)

test('begins a day before until, where only until is given', () => {
  expect(parse({ until: '3d' })).toMatchObject({ sinceMs: NOW - 4 * 24 * HOUR, untilMs: NOW - 3 * 24 * HOUR })
})

test('refuses a window that ends before it begins', () => {
  expect(refusal({ since: '1h', until: '2h' }).message).toBe(
    'since: 2026-06-15T11:00:00.000Z is not before the end of the window, 2026-06-15T10:00:00.000Z (until, or now)',
  )
})

test('means half an hour before and after by around, and nothing else besides', () => {
  expect(parse({ around: '2026-06-15T10:00Z' })).toMatchObject({ sinceMs: NOW - 2.5 * HOUR, untilMs: NOW - 1.5 * HOUR })
  expect(refusal({ around: '2h', since: '3h' }).parameter).toBe('around')
})

test.each(['tar.gz', 'tar.zst', 'tar'])('knows the format %s', (format) => {
  expect(parse({ format }).format).toBe(format)
})

test.each([
  [{ format: 'zip' }, 'format: "zip" is not a format; accepted: tar.gz, tar.zst, tar'],
  [{ compression: '0' }, 'compression: "0" is not a level; accepted: 1 (fast) to 9 (small)'],
  [{ compression: '10' }, 'compression: "10" is not a level; accepted: 1 (fast) to 9 (small)'],
  [{ limits: 'entry=big' }, 'limits: "big" is not a size (in "entry=big"); accepted: "none", or'],
  [{ format: ['tar', 'tar.gz'] }, 'format: is given more than once; accepted: one value'],
])('refuses %o', (parameters, message) => {
  expect(refusal(parameters).message).toContain(message)
})

test('reads limits over those of the configuration', () => {
  const defaults = { ...DEFAULT_LIMITS, entries: 5 }
  expect(parseBundleRequest({ limits: 'entry=1MiB' }, { ...facts, defaults }).limits).toEqual({
    ...defaults,
    entryBytes: 1024 ** 2,
  })
})

describe('recipients', () => {
  const [A, B] = [
    'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
    'age128k6jt0uzahrjyuyp2cx5ms8md94skj0lnj4sd7svhwpv3ymps7s8yndr8',
  ]

  test('are taken from a list, from several parameters, once each', () => {
    expect(parse({ recipient: [`${A},${B}`, A] }).recipients).toEqual([A, B])
  })

  test('add to those of the configuration, and take none away', () => {
    expect(parseBundleRequest({ recipient: B }, { ...facts, recipients: [A] }).recipients).toEqual([A, B])
    expect(parseBundleRequest({}, { ...facts, recipients: [A] }).recipients).toEqual([A])
    expect(refusal({ recipient: '' }).parameter).toBe('recipient')
    expect(refusal({ recipient: 'none' }).parameter).toBe('recipient')
  })

  test('stay unknown where the configuration cannot be understood', () => {
    expect(parseBundleRequest({ recipient: B }, { ...facts, recipients: 'unknown' }).recipients).toBe('unknown')
  })

  test.each([
    ['not one', 'alice@example.com-and-more', '"alice@example.co…" is not a recipient'],
    [
      'one with a slip of the pen',
      A.replace('3z7', '3y7'),
      '"age1ql3y7hjy54pw…" is mistyped: its checksum does not match',
    ],
    ['one cut short', A.slice(0, -1), '"age1ql3z7hjy54pw…" is not a recipient'],
    ['a key of ssh', 'ssh-ed25519 AAAAC3Nza', '"ssh-ed25519 AAAA…" is a key of ssh, which is not taken'],
  ])('refuses %s, shortened, and says what is accepted', (_, text, message) => {
    expect(refusal({ recipient: text }).message).toBe(
      `recipient: ${message}; accepted: public keys of age, as age-keygen prints them (age1… of 62 characters), at most 16`,
    )
  })

  test('never shows a secret key that somebody took for a public one', () => {
    const secret = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX'
    for (const text of [secret, secret.toLowerCase(), `${A},${secret}`]) {
      expect(refusal({ recipient: text }).message).toMatch(/^recipient: this is a secret key, which stays where/)
    }
  })
})
