import { expect, test } from 'vitest'
import { parseOtlpKey } from '../../src/config/otlp.ts'

test('nothing is sent unless it says so', () => {
  expect(parseOtlpKey(undefined)).toBe('none')
  expect(parseOtlpKey('none')).toBe('none')
})

test('an endpoint is enough', () => {
  expect(parseOtlpKey({ endpoint: 'http://collector.internal:4318' })).toEqual({
    endpoint: new URL('http://collector.internal:4318'),
    headersFile: undefined,
    intervalMs: 60_000,
    metrics: true,
    events: true,
  })
  const all =
    '{endpoint: "https://c.example/otlp", headersFile: /a, ca: /b, interval: 10s, metrics: false, events: true}'
  expect(parseOtlpKey(all)).toMatchObject({ headersFile: '/a', ca: '/b', intervalMs: 10_000, metrics: false })
  expect(parseOtlpKey({ endpoint: 'http://127.0.0.1:4318', headersFile: '/a' })).toMatchObject({ headersFile: '/a' })
})

test.each([
  ['yes', 'is not a mapping'],
  [{}, 'endpoint is missing'],
  [{ endpoint: 'collector:4318' }, 'is not a URL of http or https'],
  [{ endpoint: 'grpc://collector:4317' }, 'is not a URL of http or https'],
  [{ endpoint: 'https://user:pass@c.example' }, 'credentials belong in headersFile'],
  [{ endpoint: 'https://c.example/?token=x' }, 'credentials belong in headersFile'],
  [{ endpoint: 'https://c.example/v1/metrics' }, 'ends in /v1/…'],
  [{ endpoint: 'https://c.example', headers: { a: 'b' } }, 'Unrecognized key: "headers"'],
  [{ endpoint: 'https://c.example', headersFile: 'a' }, 'headersFile is not an absolute path'],
  [{ endpoint: 'http://c.example', headersFile: '/a' }, 'in the clear'],
  [{ endpoint: 'http://c.example', ca: '/a' }, 'ca is of no use'],
  [{ endpoint: 'https://c.example', interval: '5s' }, 'interval "5s" is not a time from 10s to 1h'],
  [{ endpoint: 'https://c.example', events: 'yes' }, 'events is neither true nor false'],
])('%j is refused', (value, words) => {
  expect(() => parseOtlpKey(value)).toThrow(words)
})

test('a refusal shows no credential', () => {
  expect(() => parseOtlpKey({ endpoint: 'https://user:hunter2@c.example' })).not.toThrow('hunter2')
})
