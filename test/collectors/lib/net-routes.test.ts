import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseFibTrie, parseIfInet6, parseRoute, parseRoute6 } from '../../../collectors/lib/net-routes.ts'
import { fixture } from '../../helpers/kit.ts'

const recorded = (name: string) => readFileSync(fixture('collectors-2', 'vm', 'proc', 'net', name), 'utf8')

test('IPv4 routes read as ip prints them', () => {
  expect(parseRoute(recorded('route'))).toEqual([
    'default via 10.0.2.1 dev eth0 metric 100',
    '10.0.2.0/24 dev eth0 metric 100',
    '192.0.0.0/8 dev lo metric 0 unreachable',
  ])
})

test('IPv6 routes read as ip prints them', () => {
  expect(parseRoute6(recorded('ipv6_route'))).toEqual([
    '2001:db8::/64 dev eth0 metric 256',
    'default via fe80::1 dev eth0 metric 1024',
    'default dev lo metric 4294967295 unreachable',
  ])
})

test('IPv6 addresses come with prefix, interface and scope', () => {
  expect(parseIfInet6(recorded('if_inet6'))).toEqual([
    '::1/128 dev lo scope host',
    'fe80::215:42ff:fe11:a01/64 dev eth0 scope link',
    '2001:db8::1/64 dev eth0 scope global',
  ])
})

test('the local addresses of the forwarding table are listed once, broadcasts are none', () => {
  expect(parseFibTrie(recorded('fib_trie'))).toEqual(['10.0.2.15/32', '127.0.0.1/32'])
})
