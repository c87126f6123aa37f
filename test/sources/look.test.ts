import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { look } from '../../src/sources/look.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'
import { fileContext, tempFolder } from '../helpers/file-source.ts'

async function recorded() {
  const root = await tempFolder()
  await mkdir(join(root, 'etc'))
  await mkdir(join(root, 'usr'))
  await writeFile(join(root, 'etc', 'hosts'), '127.0.0.1 localhost\n')
  await writeFile(join(root, 'etc', 'shadow'), 'root:hash')
  await writeFile(join(root, 'usr', 'os-release'), 'ID=debian\n')
  await symlink('../usr/os-release', join(root, 'etc', 'os-release'))
  await symlink('shadow', join(root, 'etc', 'sly'))
  return look(fileContext({ root }))
}

test('reads small files, and the beginning of larger ones', async () => {
  const { read } = await recorded()
  expect(await read('/etc/hosts')).toBe('127.0.0.1 localhost\n')
  expect(await read('/etc/hosts', 9)).toBe('127.0.0.1')
  expect(await read('/etc/os-release')).toBe('ID=debian\n')
  expect(await look(fileContext()).read('/proc/self/status')).toMatch(/^Name:/)
})

test('reads nothing that is absent, a folder, or on the never-read list', async () => {
  const { read } = await recorded()
  expect(await read('/etc/nothing')).toBeUndefined()
  expect(await read('/etc')).toBeUndefined()
  expect(await read('/etc/shadow')).toBeUndefined()
  expect(await read('/etc/sly')).toBeUndefined()
})

test('lists names, sorted', async () => {
  const { list } = await recorded()
  expect(await list('/etc')).toEqual(['hosts', 'os-release', 'shadow', 'sly'])
  expect(await list('/nothing')).toEqual([])
  expect(await list('/etc/hosts')).toEqual([])
})

test('globs files and folders', async () => {
  const { glob } = await recorded()
  expect(await glob('/*', '/etc/h*')).toEqual(['/etc', '/etc/hosts', '/usr'])
})

test('tells where links point and what things are', async () => {
  const { readlink, stat } = await recorded()
  expect(await readlink('/etc/os-release')).toBe('../usr/os-release')
  expect(await readlink('/etc/hosts')).toBeUndefined()
  expect(await readlink('/etc/nothing')).toBeUndefined()
  expect(await stat('/etc/hosts')).toMatchObject({ kind: 'file', sizeBytes: 20, uid: process.geteuid?.() })
  expect(await stat('/etc')).toMatchObject({ kind: 'directory' })
  expect(await stat('/etc/os-release')).toMatchObject({ kind: 'link' })
  expect(await stat('/nothing')).toBeUndefined()
})

test('tells how full a file system is', async () => {
  const facts = await look(fileContext()).statfs('/proc')
  expect(facts.blockSizeBytes).toBeGreaterThan(0)
  await expect(look(fileContext()).statfs('/nothing')).rejects.toMatchObject({ outcome: 'skipped' })
})

test('a mount that never answers is not touched; only statfs asks, in a child', async ({ skip }) => {
  const dead = await deadFuse()
  if (!dead) return skip('needs root and /dev/fuse')
  onTestFinished(() => dead.stop())
  const bin = await tempFolder()
  await writeFile(join(bin, 'stat'), '#!/bin/sh\necho "4096 100 50 40 10 5"\n', { mode: 0o755 })
  const { read, list, glob, readlink, stat, statfs } = look(fileContext({ path: bin }))
  expect(await read(`${dead.path}/x`)).toBeUndefined()
  expect(await list(dead.path)).toEqual([])
  expect(await glob(`${dead.path}/*`)).toEqual([])
  expect(await readlink(`${dead.path}/x`)).toBeUndefined()
  expect(await stat(dead.path)).toBeUndefined()
  expect(await statfs(dead.path)).toEqual({
    blockSizeBytes: 4096,
    blocks: 100,
    blocksFree: 50,
    blocksAvailable: 40,
    inodes: 10,
    inodesFree: 5,
  })
})

test('throws only when nobody wants the bundle any more', async () => {
  const { read, glob } = look(fileContext({ signal: AbortSignal.abort() }))
  await expect(read('/etc/hosts')).rejects.toMatchObject({ name: 'AbortError' })
  await expect(glob('/etc/*')).rejects.toMatchObject({ name: 'AbortError' })
})
