import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FIXED_PATH, findCommand } from '../../src/sources/lookup.ts'
import { temporaryFolder } from '../helpers/commands.ts'

test('the first folder of the PATH that has an executable of that name wins', () => {
  const [one, two] = [temporaryFolder(), temporaryFolder()]
  writeFileSync(join(one, 'tool'), '', { mode: 0o644 })
  writeFileSync(join(two, 'tool'), '', { mode: 0o755 })
  expect(findCommand('tool', `${one}:${two}`)).toBe(join(two, 'tool'))
})

test('folders, dead links and relative names are no commands', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'folder'))
  symlinkSync('/no/such/file', join(folder, 'dead'))
  for (const name of ['folder', 'dead', '', './sh', '../bin/sh']) expect(findCommand(name, folder)).toBeUndefined()
})

test('a relative folder in the PATH is not searched', () => {
  expect(findCommand('sh', 'bin:.:')).toBeUndefined()
})

test('an absolute path is taken as it is', () => {
  expect(findCommand('/bin/sh', '')).toBe('/bin/sh')
  expect(findCommand('/etc/passwd', FIXED_PATH)).toBeUndefined()
})
