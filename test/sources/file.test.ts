import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openFile, type FileSpec } from '../../src/sources/file.ts'
import { pathBytes, pathText } from '../../src/sources/paths.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'
import { fileContext, openDescriptors, readAll, tempFolder } from '../helpers/file-source.ts'

const isRoot = process.geteuid?.() === 0

function whole(path: string, more: Partial<FileSpec> = {}): FileSpec {
  return { path, windowed: false, ...more }
}

async function read(path: string, more: Partial<FileSpec> = {}, ctx = fileContext()) {
  const opened = await openFile(whole(path, more), ctx)
  return { opened, ...(await readAll(opened)) }
}

test('a file is announced with its size and delivered as it is', async () => {
  const folder = await tempFolder()
  const contents = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7) % 256))
  await writeFile(join(folder, 'binary'), contents)
  const { opened, bytes, end } = await read(join(folder, 'binary'))
  expect(opened).toMatchObject({ origin: join(folder, 'binary'), sizeBytes: 700_000 })
  expect(opened.mtimeMs).toBeTypeOf('number')
  expect(bytes.equals(contents)).toBe(true)
  expect(end).toEqual({ outcome: 'ok' })
})

test('an empty file is a whole file', async () => {
  const folder = await tempFolder()
  await writeFile(join(folder, 'empty'), '')
  const { opened, bytes, end } = await read(join(folder, 'empty'))
  expect(opened.sizeBytes).toBe(0)
  expect(bytes).toHaveLength(0)
  expect(end).toEqual({ outcome: 'ok' })
})

test('a large file goes through one buffer of 1 MiB', async () => {
  const folder = await tempFolder()
  await writeFile(join(folder, 'large'), Buffer.alloc(3 * 1024 * 1024, 'x'))
  const { chunks } = await openFile(whole(join(folder, 'large')), fileContext())
  const memory = new Set<ArrayBufferLike>()
  for await (const chunk of chunks) {
    expect(chunk.length).toBeLessThanOrEqual(1024 * 1024)
    memory.add(chunk.buffer)
  }
  expect(memory.size).toBe(1)
})

test('what is absent is skipped, what vanished after it was listed failed', async () => {
  const path = join(await tempFolder(), 'gone')
  await expect(read(path)).rejects.toMatchObject({ outcome: 'skipped', message: `${path} does not exist` })
  await expect(read(path, { listed: true })).rejects.toMatchObject({
    outcome: 'failed',
    message: `${path} vanished between listing and opening`,
  })
})

test('a file in place of a folder on the way is absence', async () => {
  const folder = await tempFolder()
  await writeFile(join(folder, 'file'), '')
  await expect(read(join(folder, 'file', 'x'))).rejects.toMatchObject({ outcome: 'skipped' })
})

test('a file that shrinks while it is read is made up to its announced size, and says so', async () => {
  const path = join(await tempFolder(), 'shrinks')
  await writeFile(path, Buffer.alloc(6_000_000, 'a'))
  const { sizeBytes, chunks } = await openFile(whole(path), fileContext())
  const first = await chunks.next()
  expect(first.done).toBe(false)
  const read1 = (first.value as Buffer).length
  await truncate(path, 3_000_000)
  const { bytes, text, end } = await readAll({ chunks })
  expect(read1 + bytes.length).toBe(sizeBytes)
  expect(end.outcome).toBe('partial')
  expect(end.detail).toBe('shrank from 6000000 to 3000000 bytes while it was read; padded')
  expect(text).toContain('\n… diagd: shrank from 6000000 to 3000000 bytes while it was read; padded …\n\n\n')
})

test('a shrunk file with no room for a line about it is padded all the same', async () => {
  const path = join(await tempFolder(), 'shrinks')
  await writeFile(path, 'abcdef')
  const { chunks } = await openFile(whole(path), fileContext())
  await truncate(path, 3)
  const { text, end } = await readAll({ chunks })
  expect(text).toBe('abc\n\n\n')
  expect(end.outcome).toBe('partial')
})

test('a file that grows while it is read is cut at its announced size, and says so', async () => {
  const path = join(await tempFolder(), 'grows')
  await writeFile(path, 'one\n')
  const { chunks } = await openFile(whole(path), fileContext())
  await appendFile(path, 'two\n')
  const { text, end } = await readAll({ chunks })
  expect(text).toBe('one\n')
  expect(end).toEqual({
    outcome: 'partial',
    detail: 'grew while it was read: cut at its size when opened',
    cutBytes: 4,
  })
})

test('a log that grows is no defect', async () => {
  const path = join(await tempFolder(), 'grows')
  await writeFile(path, 'one\n')
  const { chunks } = await openFile(whole(path, { windowed: true }), fileContext())
  await appendFile(path, 'two\n')
  expect(await readAll({ chunks })).toMatchObject({ text: 'one\n', end: { outcome: 'ok' } })
})

test('a log that is rotated away while it is read is read to its end', async () => {
  const path = join(await tempFolder(), 'log')
  await writeFile(path, 'one\n')
  const { chunks } = await openFile(whole(path), fileContext())
  await rename(path, `${path}.1`)
  await rm(`${path}.1`)
  expect(await readAll({ chunks })).toMatchObject({ text: 'one\n', end: { outcome: 'ok' } })
})

test('a FIFO, a socket, a device and a folder are skipped by name and never opened', async () => {
  const folder = await tempFolder()
  await promisify(execFile)('mkfifo', [join(folder, 'fifo')])
  await mkdir(join(folder, 'folder'))
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  for (const [name, kind] of [
    ['fifo', 'a FIFO'],
    ['socket', 'a socket'],
    ['folder', 'a directory'],
  ] as const) {
    const path = join(folder, name)
    await expect(read(path)).rejects.toMatchObject({
      outcome: 'skipped',
      message: `${path} is ${kind}, not a regular file`,
    })
  }
})

test.runIf(isRoot)('a device outside /dev is skipped by name', async () => {
  const path = join(await tempFolder(), 'null')
  await promisify(execFile)('mknod', [path, 'c', '1', '3'])
  await expect(read(path)).rejects.toMatchObject({
    outcome: 'skipped',
    message: `${path} is a device, not a regular file`,
  })
})

test('a link to /etc/shadow in a log folder is withheld', async () => {
  const folder = await tempFolder()
  await symlink('/etc/shadow', join(folder, 'app.log'))
  await expect(read(join(folder, 'app.log'))).rejects.toMatchObject({
    outcome: 'withheld',
    message: `${join(folder, 'app.log')} is a link; /etc/shadow is never read: hashes of passwords`,
  })
})

test('a link that leads out is withheld, naming where; under `within` it may', async () => {
  const folder = await tempFolder()
  await mkdir(join(folder, 'log'))
  await mkdir(join(folder, 'other'))
  await writeFile(join(folder, 'other', 'file'), 'x')
  const path = join(folder, 'log', 'link')
  await symlink('../other/file', path)
  await expect(read(path)).rejects.toMatchObject({
    outcome: 'withheld',
    message: `${path} is a link to ${folder}/other/file, which leads out of ${folder}/log`,
  })
  expect((await read(path, { within: [join(folder, 'other')] })).text).toBe('x')
  expect((await read(path, { root: folder })).text).toBe('x')
})

test('a folder on the way that is a link leading out is withheld too', async () => {
  const folder = await tempFolder()
  await mkdir(join(folder, 'log'))
  await mkdir(join(folder, 'other'))
  await writeFile(join(folder, 'other', 'file'), 'x')
  await symlink('../other', join(folder, 'log', 'sub'))
  const path = join(folder, 'log', 'sub', 'file')
  await expect(read(path, { root: join(folder, 'log') })).rejects.toMatchObject({ outcome: 'withheld' })
})

test('the literal root may be a link itself', async () => {
  const folder = await tempFolder()
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'data', 'file'), 'x')
  await symlink('data', join(folder, 'log'))
  expect((await read(join(folder, 'log', 'file'))).text).toBe('x')
})

test('a link within the folder is followed, one to nothing is absence', async () => {
  const folder = await tempFolder()
  await writeFile(join(folder, 'file.1'), 'x')
  await symlink('file.1', join(folder, 'current'))
  await symlink('nothing', join(folder, 'dangling'))
  expect((await read(join(folder, 'current'))).text).toBe('x')
  await expect(read(join(folder, 'dangling'))).rejects.toMatchObject({ outcome: 'skipped' })
})

test('a loop of links failed', async () => {
  const folder = await tempFolder()
  await symlink('b', join(folder, 'a'))
  await symlink('a', join(folder, 'b'))
  await expect(read(join(folder, 'a'))).rejects.toMatchObject({
    outcome: 'failed',
    message: `${join(folder, 'a')} is a loop of links`,
  })
})

test('links in a recorded tree are taken within the tree', async () => {
  const root = await tempFolder()
  await mkdir(join(root, 'etc'))
  await writeFile(join(root, 'etc', 'real'), 'recorded')
  await symlink('/etc/real', join(root, 'etc', 'link'))
  await symlink('../../../../../etc/real', join(root, 'etc', 'up'))
  const ctx = fileContext({ root })
  expect(await read('/etc/link', {}, ctx)).toMatchObject({ text: 'recorded', opened: { origin: '/etc/link' } })
  expect((await read('/etc/up', {}, ctx)).text).toBe('recorded')
})

test('the never-read list counts for a recorded tree as for the host', async () => {
  const root = await tempFolder()
  await mkdir(join(root, 'etc'))
  await writeFile(join(root, 'etc', 'shadow'), 'root:hash')
  await expect(read('/etc/shadow', {}, fileContext({ root }))).rejects.toMatchObject({
    outcome: 'withheld',
    message: '/etc/shadow is never read: hashes of passwords',
  })
})

test('while a folder is swapped for a link again and again, nothing from outside gets out', async () => {
  const folder = await tempFolder()
  for (const name of ['log/sub', 'other']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'log/sub/file'), 'inside')
  await writeFile(join(folder, 'other/file'), 'outside')
  await symlink('../other', join(folder, 'link'))
  const swap = `const { renameSync } = require('node:fs')
    process.chdir(${JSON.stringify(folder)})
    for (;;) {
      renameSync('log/sub', 'away'); renameSync('link', 'log/sub')
      renameSync('log/sub', 'link'); renameSync('away', 'log/sub')
    }`
  const swapper = spawn(process.execPath, ['-e', swap], { stdio: 'ignore' })
  onTestFinished(() => void swapper.kill('SIGKILL'))
  const seen = new Set<string>()
  for (let round = 0; round < 1000; round += 1) {
    const reading = read(join(folder, 'log/sub/file'), { root: join(folder, 'log') })
    seen.add(await reading.then(({ text }) => text).catch((error: { outcome: string }) => error.outcome))
  }
  expect(seen).toContain('inside')
  expect(seen).toContain('withheld')
  expect(seen).not.toContain('outside')
})

test.runIf(isRoot)('without permission it is skipped, with mode, owner and advice', async () => {
  const folder = await tempFolder()
  const path = join(folder, 'secret.log')
  await writeFile(path, 'x')
  await chown(path, 0, 0)
  await chmod(path, 0o640)
  await mkdir(join(folder, 'closed'))
  await chmod(join(folder, 'closed'), 0o700)
  await chmod(folder, 0o755)
  expect(await asNobody(path)).toEqual({
    outcome: 'skipped',
    message: `permission denied: ${path} (mode 0640 root:root); run as root to include it`,
  })
  expect(await asNobody(join(folder, 'closed', 'x'))).toEqual({
    outcome: 'skipped',
    message: `permission denied: ${join(folder, 'closed')} (mode 0700 root:root); run as root to include it`,
  })
})

/** Opens a file in a child that is nobody, and tells how it was refused. */
async function asNobody(path: string): Promise<unknown> {
  const source = fileURLToPath(new URL('../../src/sources/file.ts', import.meta.url))
  const script = `
    import { openFile } from ${JSON.stringify(source)}
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const ctx = { signal: new AbortController().signal, root: '', path: '', timeZone: 'UTC', dbus: { dead: false },
      limits: { entryBytes: 1e6, headBytes: 1e3, commandMs: 1e4, stallMs: 1e4 }, intervals: async () => [] }
    const error = await openFile({ path: ${JSON.stringify(path)}, windowed: false }, ctx).catch((error) => error)
    console.log(JSON.stringify({ outcome: error.outcome, message: error.message }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return JSON.parse(stdout)
}

test('files of /proc and /sys have no size beforehand and are read to their end', async () => {
  const status = await read('/proc/self/status')
  expect(status.opened.sizeBytes).toBeUndefined()
  expect(status.text).toMatch(/^Name:.*\n[^]*voluntary_ctxt_switches/)
  expect(status.end).toEqual({ outcome: 'ok' })
  const sysfs = await read('/sys/kernel/mm/transparent_hugepage/enabled')
  expect(sysfs.opened.sizeBytes).toBeUndefined()
  expect(sysfs.text).toMatch(/^.{5,60}\n$/)
})

test('a file of /proc over the limit keeps its beginning', async () => {
  const { text, end } = await read('/proc/self/status', {}, fileContext({ limits: { entryBytes: 400 } }))
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(400)
  expect(text).toMatch(
    /^Name:[^]*\n\n… diagd: the rest is left out here \(over the limit of 400 bytes per entry\) …\n$/,
  )
  expect(end).toMatchObject({ outcome: 'partial' })
})

test('links of sysfs lead where the kernel says', async () => {
  expect((await read('/sys/class/net/lo/mtu', { root: '/sys/class/net' })).text).toBe('65536\n')
})

test('a log over its limit keeps its beginning and its newest bytes, cut at lines', async () => {
  const path = join(await tempFolder(), 'log')
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}`)
  await writeFile(path, `${lines.join('\n')}\n`)
  const { opened, bytes, text, end } = await read(
    path,
    {},
    fileContext({ limits: { entryBytes: 50_000, headBytes: 1003 } }),
  )
  const [head = '', tail = ''] = text.split(
    /\n… diagd: \d+ bytes left out here \(over the limit of 50000 bytes per entry\) …\n/,
  )
  expect(bytes.length).toBe(opened.sizeBytes)
  expect(bytes.length).toBeLessThanOrEqual(50_000)
  expect(bytes.length).toBeGreaterThan(49_500)
  expect(head).toMatch(/^line 0\nline 1\n[^]*\nline \d+\n$/)
  expect(head.length).toBeGreaterThan(980)
  expect(tail).toMatch(/^line \d+\n[^]*\nline 19999\n$/)
  const size = (await stat(path)).size
  expect(end).toMatchObject({ outcome: 'partial', cutBytes: size - head.length - tail.length })
  expect(text).toContain(`${end.cutBytes} bytes left out here`)
  expect(end.detail).toContain('over the limit of 50000 bytes per entry')
})

test('lines longer than 1 MiB are cut inside', async () => {
  const path = join(await tempFolder(), 'log')
  await writeFile(path, Buffer.alloc(5 * 1024 * 1024, 'x'))
  const limits = { entryBytes: 2 * 1024 * 1024 }
  const { bytes, end } = await read(path, {}, fileContext({ limits }))
  expect(bytes.length).toBeGreaterThan(2 * 1024 * 1024 - 200)
  expect(bytes.length).toBeLessThanOrEqual(2 * 1024 * 1024)
  expect(end.outcome).toBe('partial')
})

test('what is left out of a log is not read', async () => {
  const path = join(await tempFolder(), 'log')
  const file = await open(path, 'w')
  await file.write('first\n', 0)
  // 4 GiB of holes that count as contents: reading them would not go unnoticed.
  await file.write('\nlast\n', 4 * 1024 ** 3)
  await file.close()
  const before = await bytesRead()
  const { chunks } = await openFile(whole(path), fileContext({ limits: { entryBytes: 1024 * 1024 } }))
  await readAll({ chunks })
  expect((await bytesRead()) - before).toBeLessThan(16 * 1024 * 1024)
})

async function bytesRead(): Promise<number> {
  return Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1])
}

test('of a sparse file of 1 TB only the ends are kept', async () => {
  const path = join(await tempFolder(), 'lastlog')
  const file = await open(path, 'w')
  await file.write('begin')
  await file.truncate(1024 ** 4)
  await file.write('end!', 1024 ** 4 - 4)
  await file.close()
  for (const entryBytes of [64 * 1024 * 1024, Infinity]) {
    const { opened, bytes, end } = await read(path, {}, fileContext({ limits: { entryBytes } }))
    expect(bytes.length).toBe(opened.sizeBytes)
    expect(bytes.length).toBeLessThanOrEqual(128 * 1024)
    expect(bytes.subarray(0, 5).toString()).toBe('begin')
    expect(bytes.subarray(-4).toString()).toBe('end!')
    expect(end.outcome).toBe('partial')
    expect(end.detail).toMatch(/^sparse: 1099511627776 bytes apparent, \d+ allocated/)
  }
})

test('a file over 8 GiB is announced whole when there is no limit', async () => {
  const path = join(await tempFolder(), 'huge')
  const file = await open(path, 'w')
  await file.write('begin')
  await file.truncate(9 * 1024 ** 3)
  await file.close()
  const { sizeBytes, chunks } = await openFile(whole(path), fileContext({ limits: { entryBytes: Infinity } }))
  expect(sizeBytes).toBe(9 * 1024 ** 3)
  const first = await chunks.next()
  expect((first.value as Buffer).subarray(0, 5).toString()).toBe('begin')
  await chunks.return({ outcome: 'ok' })
  expect(await openDescriptors(path)).toBe(0)
})

test.each([
  ['spaces', Buffer.from('a b  c')],
  ['newlines', Buffer.from('a\nb\n')],
  ['UTF-8', Buffer.from('größe 日本 🦀')],
  ['255 bytes', Buffer.alloc(255, 'x')],
  ['bytes that are not UTF-8', Buffer.of(0x61, 0xff, 0xfe, 0x80)],
])('names with %s are opened', async (_, name) => {
  const folder = await tempFolder()
  const path = pathText(Buffer.concat([Buffer.from(`${folder}/`), name]))
  await writeFile(pathBytes(path), 'x')
  const { text, opened } = await read(path)
  expect(text).toBe('x')
  expect(opened.origin).toBe(path)
})

test('the descriptor is closed at the end, by return() before the first pull and midway, and on abort', async () => {
  const path = join(await tempFolder(), 'file')
  await writeFile(path, Buffer.alloc(1024 * 1024))
  await read(path)
  expect(await openDescriptors(path)).toBe(0)

  const unread = await openFile(whole(path), fileContext())
  expect(await openDescriptors(path)).toBe(1)
  await unread.chunks.return({ outcome: 'ok' })
  expect(await openDescriptors(path)).toBe(0)

  const midway = await openFile(whole(path), fileContext())
  await midway.chunks.next()
  await midway.chunks.return({ outcome: 'ok' })
  expect(await openDescriptors(path)).toBe(0)

  const controller = new AbortController()
  const aborted = await openFile(whole(path), fileContext({ signal: controller.signal }))
  await aborted.chunks.next()
  controller.abort()
  await expect(aborted.chunks.next()).rejects.toThrow('abort')
  expect(await openDescriptors(path)).toBe(0)

  const leaving = new AbortController()
  await openFile(whole(path), fileContext({ signal: leaving.signal }))
  leaving.abort()
  // Nobody pulls, so nobody can be told when it is closed.
  await vi.waitUntil(async () => (await openDescriptors(path)) === 0)
})

test('the descriptor of a file that is refused is closed', async () => {
  const path = join(await tempFolder(), 'file')
  await writeFile(path, Buffer.from('fd377a585a000000', 'hex'))
  await expect(read(path)).rejects.toMatchObject({ outcome: 'withheld' })
  expect(await openDescriptors(path)).toBe(0)
})

test('an aborted bundle opens nothing', async () => {
  const path = join(await tempFolder(), 'file')
  await writeFile(path, 'x')
  await expect(read(path, {}, fileContext({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
    name: 'AbortError',
  })
})

test('a log last written before the window is skipped', async () => {
  const path = join(await tempFolder(), 'log')
  await writeFile(path, 'x\n')
  await utimes(path, new Date('2026-11-01T00:00:00Z'), new Date('2026-11-01T00:00:00Z'))
  const sinceMs = Date.parse('2026-11-20T00:00:00Z')
  const ctx = fileContext({ intervals: [{ sinceMs, untilMs: sinceMs + 1000, reason: 'window' }] })
  await expect(read(path, { windowed: true }, ctx)).rejects.toMatchObject({
    outcome: 'skipped',
    message: 'last written 2026-11-01T00:00:00.000Z, before the window',
  })
  expect((await read(path, {}, ctx)).text).toBe('x\n')
})

test('a log is cut to the window, says what is left out, and announces its length', async () => {
  const path = join(await tempFolder(), 'log')
  const at = (minute: number) => new Date(Date.parse('2026-11-20T00:00:00Z') + minute * 60_000)
  const lines = Array.from({ length: 1440 }, (_, minute) => `${at(minute).toISOString()} line ${minute}\n`)
  await writeFile(path, lines.join(''))
  await utimes(path, at(1440), at(1440))
  const interval = (from: number, to: number) => ({ sinceMs: +at(from), untilMs: +at(to), reason: 'window' })
  const ctx = fileContext({ intervals: [interval(600, 601), interval(1200, 1201)] })
  const { opened, bytes, text, end } = await read(path, { windowed: true }, ctx)
  const size = (from: number, to: number) => lines.slice(from, to).join('').length
  expect(text.split('\n')).toEqual([
    `… diagd: ${size(0, 600)} bytes outside the window are left out here …`,
    '2026-11-20T10:00:00.000Z line 600',
    '2026-11-20T10:01:00.000Z line 601',
    `… diagd: ${size(602, 1200)} bytes outside the window are left out here …`,
    '2026-11-20T20:00:00.000Z line 1200',
    '2026-11-20T20:01:00.000Z line 1201',
    `… diagd: ${size(1202, 1440)} bytes outside the window are left out here …`,
    '',
  ])
  expect(bytes.length).toBe(opened.sizeBytes)
  expect(end).toEqual({ outcome: 'ok' })
})

test('the limit counts for what the window leaves', async () => {
  const path = join(await tempFolder(), 'log')
  const at = (second: number) => new Date(Date.parse('2026-11-20T00:00:00Z') + second * 1000)
  await writeFile(
    path,
    Array.from({ length: 20_000 }, (_, second) => `${at(second).toISOString()} ${second}\n`).join(''),
  )
  await utimes(path, at(20_000), at(20_000))
  const intervals = [{ sinceMs: +at(10_000), untilMs: +at(20_000), reason: 'window' }]
  const ctx = fileContext({ intervals, limits: { entryBytes: 20_000, headBytes: 1000 } })
  const { bytes, text, end } = await read(path, { windowed: true }, ctx)
  expect(bytes.length).toBeLessThanOrEqual(20_000)
  expect(text).toMatch(/^… diagd: \d+ bytes outside the window are left out here …\n2026-11-20T02:46:40/)
  expect(text).toMatch(/bytes left out here[^]*05:33:19.000Z 19999\n$/)
  expect(end.outcome).toBe('partial')
})

test('a file on a mount that never answers costs its own deadline, and the pool of this process stays free', async ({
  skip,
}) => {
  const dead = await deadFuse()
  if (!dead) return skip('needs root and /dev/fuse')
  onTestFinished(() => dead.stop())
  const folder = await tempFolder()
  await writeFile(join(folder, 'alive'), 'x')
  const ctx = fileContext({ limits: { commandMs: 300, stallMs: 300 } })
  const readings = Array.from({ length: 6 }, (_, index) => openFile(whole(join(dead.path, `log ${index}`)), ctx))
  const ends = readings.map(async (opening) => (await readAll(await opening)).end.outcome)
  expect((await read(join(folder, 'alive'))).text).toBe('x')
  expect(await Promise.all(ends)).toEqual(Array.from({ length: 6 }, () => 'timeout'))
})

test('a link from a log folder to a mount that never answers is withheld without touching it', async ({ skip }) => {
  const dead = await deadFuse()
  if (!dead) return skip('needs root and /dev/fuse')
  onTestFinished(() => dead.stop())
  const folder = await tempFolder()
  await symlink(join(dead.path, 'file'), join(folder, 'log'))
  await expect(read(join(folder, 'log'))).rejects.toMatchObject({ outcome: 'withheld' })
})

test('a file on such a mount is read by dd, with links refused', async ({ skip }) => {
  const dead = await deadFuse()
  if (!dead) return skip('needs root and /dev/fuse')
  onTestFinished(() => dead.stop())
  const bin = await tempFolder()
  await writeFile(join(bin, 'dd'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 })
  const path = join(dead.path, 'a b')
  const { opened, text, end } = await read(path, {}, fileContext({ path: bin }))
  expect(opened.origin).toBe(path)
  expect(text).toBe(`if=${path}\niflag=nofollow,nonblock\nbs=64k\nstatus=none\n`)
  expect(end.outcome).toBe('ok')
})
