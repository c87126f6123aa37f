import { assert, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { isUnder, pathBytes, pathText, printable } from '../../src/sources/paths.ts'

test('any bytes of a name come back from its text', () => {
  assert(
    property(uint8Array({ maxLength: 300 }), (bytes) => {
      expect(pathBytes(pathText(bytes))).toEqual(Buffer.from(bytes))
    }),
  )
})

test('valid UTF-8 reads as it is', () => {
  expect(pathText(Buffer.from('/var/log/größe-日本-🦀.log'))).toBe('/var/log/größe-日本-🦀.log')
})

test('only the bytes that are not UTF-8 are escaped', () => {
  expect(pathText(Buffer.from('ä\xff\xfeb', 'latin1'))).toBe('\udce4\udcff\udcfeb')
  expect(pathText(Buffer.concat([Buffer.from('ü'), Buffer.of(0x80), Buffer.from('🦀')]))).toBe('ü\udc80🦀')
})

test('an encoded surrogate is not UTF-8 and is kept apart from our escapes', () => {
  const bytes = Buffer.of(0xed, 0xb2, 0x80)
  expect(pathText(bytes)).toBe('\udced\udcb2\udc80')
  expect(pathBytes(pathText(bytes))).toEqual(bytes)
})

test('for people a path stays on one line', () => {
  expect(printable('/tmp/a\nb\udcff\u0007 ä')).toBe('/tmp/a\\nb\\xff\\u{7} ä')
})

test('a folder contains itself and what is below it, not its namesakes', () => {
  expect(isUnder('/var/log', '/var/log')).toBe(true)
  expect(isUnder('/var/log/a', '/var/log')).toBe(true)
  expect(isUnder('/var/logs', '/var/log')).toBe(false)
  expect(isUnder('/anything', '/')).toBe(true)
})
