import { expect, test } from 'vitest'
import { words } from '../../src/sources/words.ts'

const command = (strings: TemplateStringsArray, ...values: (string | number | readonly string[])[]): string[] =>
  words(strings, values)

test('static text splits at white space', () => {
  expect(command`  ip -s\tlink
    show `).toEqual(['ip', '-s', 'link', 'show'])
})

test('a value is exactly one argument, also when it is empty or holds white space', () => {
  expect(command`echo ${'a b'} ${''} ${'$(id); rm'} ${7}`).toEqual(['echo', 'a b', '', '$(id); rm', '7'])
})

test('a value next to static text or another value joins it', () => {
  expect(command`journalctl --since=${'2 hours ago'} ${'a'}${'b'}.c`).toEqual([
    'journalctl',
    '--since=2 hours ago',
    'ab.c',
  ])
})

test('a list is as many arguments as it has members', () => {
  expect(command`systemctl status ${['a.service', 'b c']} ${[]} --full`).toEqual([
    'systemctl',
    'status',
    'a.service',
    'b c',
    '--full',
  ])
})

test('a list that touches other text is refused', () => {
  expect(() => command`ls --x=${['a']}`).toThrow('a list of arguments touches "--x="')
  expect(() => command`ls ${['a']}/b`).toThrow('a list of arguments touches "/b"')
})
