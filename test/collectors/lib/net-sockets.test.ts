import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseInet, parsePacket, parseUnix, socketsText } from '../../../collectors/lib/net-sockets.ts'
import { fixture } from '../../helpers/kit.ts'

const recorded = (name: string) => readFileSync(fixture('collectors-2', 'vm', 'proc', 'net', name), 'utf8')

test('IPv6 sockets, IPv4 ones among them, are read with state, queues, owner and inode', () => {
  expect(
    parseInet('tcp6', recorded('tcp6')).map(({ state, local, remote, uid, inode }) => [
      state,
      local,
      remote,
      uid,
      inode,
    ]),
  ).toEqual([
    ['LISTEN', '[::]:22', '[::]:*', 0, 20004],
    ['ESTABLISHED', '[::ffff:10.0.2.15]:22', '[::ffff:10.0.2.2]:54321', 0, 20005],
    ['CLOSE-WAIT', '[2001:db8::1]:443', '[2001:db8::2]:40000', 33, 20006],
  ])
})

test('the backlog of a listening socket and the bytes of a slow reader are in the queues', () => {
  const [listening, , established] = parseInet('tcp', recorded('tcp'))
  expect(listening).toMatchObject({ state: 'LISTEN', receiveQueue: 7, sendQueue: 0 })
  expect(established).toMatchObject({ state: 'ESTABLISHED', receiveQueue: 16, sendQueue: 5000 })
})

test('a datagram socket without a peer is unconnected', () => {
  expect(parseInet('udp', recorded('udp'))).toMatchObject([{ state: 'UNCONNECTED', local: '127.0.0.53:53' }])
})

test('unix sockets may listen, be nameless, or have an abstract name with spaces', () => {
  expect(parseUnix(recorded('unix'))).toMatchObject([
    { protocol: 'unix stream', state: 'LISTEN', local: '/run/docker.sock', inode: 20010 },
    { protocol: 'unix stream', state: 'CONNECTED', local: '-', inode: 20011 },
    { protocol: 'unix dgram', state: 'UNCONNECTED', local: '@abstract name', inode: 20012 },
  ])
})

test('a packet socket shows who captures what, and where', () => {
  expect(parsePacket(recorded('packet'))).toMatchObject([
    { protocol: 'packet raw', local: 'protocol 0x0003 on interface 2', receiveQueue: 4096, inode: 20020 },
  ])
})

test('lines cut short are left out', () => {
  expect(parseInet('tcp', 'head\n   0: 00000000:0050 0000')).toEqual([])
  expect(parseUnix('head\n0000: 0002')).toEqual([])
})

test('beyond 20 000 rows sockets are only counted', () => {
  const socket = parseInet('tcp', recorded('tcp'))[0]!
  const text = socketsText(
    Array.from({ length: 20_003 }, () => socket),
    new Map(),
    String,
    '',
  )
  expect(text).toMatch(/^20003 sockets/)
  expect(text).toContain('CUT: 3 more sockets are only counted here.')
  expect(text.split('\n').filter((line) => line.startsWith('tcp  ')).length).toBe(20_000)
})
