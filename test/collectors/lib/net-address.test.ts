import { expect, test } from 'vitest'
import { addressOf, endpointOf, ipv6OfDigits, prefixLengthOf } from '../../../collectors/lib/net-address.ts'

test.each([
  ['0100007F', '127.0.0.1'],
  ['00000000', '0.0.0.0'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000001000000', '::1'],
  ['B80D0120000000000000000001000000', '2001:db8::1'],
  ['0000000000000000FFFF00000F02000A', '::ffff:10.0.2.15'],
  ['000080FE000000000000000001000000', 'fe80::1'],
])('the kernel writes %s for %s', (hex, address) => {
  expect(addressOf(hex)).toBe(address)
})

test.each([
  ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
  ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
  ['00000000000000010000000000000000', '0:0:0:1::'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
])('the longest run of zeros is shortened, the first of equals, a single one not: %s is %s', (digits, address) => {
  expect(ipv6OfDigits(digits)).toBe(address)
})

test('a port of 0 stands for every port', () => {
  expect(endpointOf('00000000:0000')).toBe('0.0.0.0:*')
  expect(endpointOf('00000000000000000000000001000000:01BB')).toBe('[::1]:443')
})

test.each([
  ['00000000', 0],
  ['000000FF', 8],
  ['00FFFFFF', 24],
  ['FFFFFFFF', 32],
])('the netmask %s has %i bits', (mask, bits) => {
  expect(prefixLengthOf(mask)).toBe(bits)
})
