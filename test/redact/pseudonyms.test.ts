/** On request, what names a machine or a person is made pseudonymous; the same stays the same. */
import { describe, expect, it, test } from 'vitest'
import { pseudonymSweep } from '../../src/redact/pseudonyms.ts'
import { createRedactor } from '../../src/redact/redactor.ts'

const FACTS = { hosts: ['web-1.example.org', 'web-1', 'Localhost'], users: ['jdoe', 'root', 'x'] }

function masked(text: string): string {
  const redact = createRedactor([], Buffer.alloc(32, 7), [pseudonymSweep(FACTS)])
  const bytes = Buffer.from(text)
  const stretch = { bytes, from: 0, to: bytes.length, final: true, carry: { sentTo: 0, pending: [] } }
  return Buffer.from(redact(stretch).bytes).toString()
}

function shape(text: string): string {
  return masked(text).replaceAll(/<masked:(\w+):[0-9a-f]{6}>/g, '<$1>')
}

describe('made pseudonymous', () => {
  it.each([
    ['from 192.0.2.7 port 22', 'from <ip> port 22'],
    ['192.0.2.7:443', '<ip>:443'],
    ['192.0.2.0/24', '<ip>/24'],
    ['[2001:db8::7]:443', '[<ip>]:443'],
    ['2001:db8:0:0:0:0:0:7', '<ip>'],
    ['ether 02:42:ac:11:00:02 brd', 'ether <mac> brd'],
    ['web-1.example.org said', '<host> said'],
    ['Nov 21 web-1 sshd[1]:', 'Nov 21 <host> sshd[1]:'],
    ['/home/jdoe/x', '/home/<user>/x'],
    ['user=jdoe', 'user=<user>'],
  ])('%j', (text, expected) => expect(shape(text)).toBe(expected))
})

describe('the same everywhere, or no name', () => {
  it.each([
    '127.0.0.1',
    '0.0.0.0:80',
    '::1',
    '::',
    '255.255.255.0',
    'version 1.2.3.4.5',
    '999.1.1.1',
    '00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff',
    '12:30:45',
    'localhost',
    'Localhost',
    'root',
    'set -x',
    'web-1xexample.org',
    'fe80::',
    'jdoes',
    'xweb-1',
    'std::string',
  ])('%j', (text) => expect(masked(text)).toBe(text))
})

test('the same is the same', () => {
  const [one, other, again] = masked('192.0.2.7 192.0.2.8 192.0.2.7').split(' ')
  expect(one).toBe(again)
  expect(one).not.toBe(other)
})

test('what begins behind a stretch is left to the next one', () => {
  const text = 'a 192.0.2.7 b'
  const found = (from: number, to: number) =>
    pseudonymSweep(FACTS).find({ text, end: text.length, final: true }, from, to)
  expect(found(0, 2)).toEqual([])
  expect(found(0, 3)).toEqual([{ start: 2, end: 11, kind: 'ip' }])
  expect(found(3, text.length)).toEqual([])
})
