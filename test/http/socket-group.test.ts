import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { giveToGroup } from '../../src/http/socket-group.ts'
import { temporaryFolder } from '../helpers/archive.ts'

const root = process.getuid!() === 0
let folder: ReturnType<typeof temporaryFolder>
let path = ''

beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'socket')
  writeFileSync(path, '')
})
afterEach(() => folder.remove())

/** Some group that every Linux has. */
const [name, , gid] = readFileSync('/etc/group', 'utf8')
  .split('\n')
  .map((line) => line.split(':'))
  .find(([each]) => each === 'daemon')!

test.runIf(root)('by name and by number', async () => {
  await giveToGroup(path, name, 0)
  expect(statSync(path)).toMatchObject({ uid: 0, gid: Number(gid) })
  await giveToGroup(path, '4711', 0)
  expect(statSync(path).gid).toBe(4711)
})

test.runIf(root)('nobody asked for one: diagd where there is such a group, else it stays', async () => {
  const own = /^diagd:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'))?.[1]
  await giveToGroup(path, undefined, 0)
  expect(statSync(path).gid).toBe(Number(own ?? 0))
})

test('a group that does not exist is named', async () => {
  await expect(giveToGroup(path, 'no-such-group', 0)).rejects.toThrow('there is no group no-such-group in /etc/group')
})

test('who is not root cannot give it away, and is told so only when asked to', async () => {
  await expect(giveToGroup(path, name, 1000)).rejects.toThrow(/only root can give .* to the group daemon/)
  await giveToGroup(path, undefined, 1000)
})
