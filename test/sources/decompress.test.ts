import { writeFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { codecOf, plainName } from '../../src/sources/decompress.ts'
import { openFile } from '../../src/sources/file.ts'
import { fileContext, openDescriptors, readAll, tempFolder } from '../helpers/file-source.ts'

const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index} ${(index * 2_654_435_761) % 4_294_967_296}\n`)
const plain = lines.join('')

async function read(name: string, contents: Buffer, ctx = fileContext()) {
  const path = join(await tempFolder(), name)
  await writeFile(path, contents)
  const opened = await openFile({ path, windowed: true, listed: true }, ctx)
  return { path, opened, ...(await readAll(opened)) }
}

test('plain names of rotations', () => {
  expect(plainName('syslog.2.gz')).toBe('syslog.2')
  expect(plainName('app-20261121.zst')).toBe('app-20261121')
  expect(plainName('log/app.gz')).toBe('log/app')
  expect(plainName('syslog.1')).toBe('syslog.1')
  expect(plainName('syslog.2.xz')).toBe('syslog.2.xz')
  expect(plainName('.gz')).toBe('.gz')
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('%s is told by its first bytes, whatever its name, and unpacked', async (_, compress) => {
  const { opened, text, end } = await read('log.1', compress(plain))
  expect(opened.sizeBytes).toBeUndefined()
  expect(text === plain).toBe(true)
  expect(end).toEqual({ outcome: 'ok' })
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('several %s streams in one file are unpacked one after the other', async (_, compress) => {
  const { text, end } = await read('log', Buffer.concat([compress('a\n'), compress(plain), compress('b\n')]))
  expect(text === `a\n${plain}b\n`).toBe(true)
  expect(end).toEqual({ outcome: 'ok' })
})

test('what only bears the name of a codec is plain', async () => {
  expect(await read('log.gz', Buffer.from('plain\n'))).toMatchObject({ text: 'plain\n', opened: { sizeBytes: 6 } })
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('of a %s file that is cut off, what was readable is kept', async (codec, compress) => {
  const whole = compress(plain)
  const { path, text, end } = await read('log', whole.subarray(0, whole.length / 2))
  expect(plain.startsWith(text)).toBe(true)
  expect(text.length).toBeGreaterThan(plain.length / 4)
  expect(end.outcome).toBe('partial')
  expect(end.detail).toMatch(
    new RegExp(`^damaged ${codec} data \\(.*\\): the ${text.length} bytes before it are here$`),
  )
  expect(await openDescriptors(path)).toBe(0)
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('of a %s file that is damaged in the middle, what was readable is kept', async (_, compress) => {
  const damaged = compress(plain)
  const middle = Math.floor(damaged.length / 2)
  damaged.fill(0xaa, middle, middle + 3000)
  const { text, end } = await read('log', damaged)
  expect(text.length).toBeGreaterThan(plain.length / 8)
  expect(plain.startsWith(text.slice(0, plain.length / 8))).toBe(true)
  expect(end.outcome).toBe('partial')
})

test.each([
  ['xz', 'fd377a585a000004'],
  ['bzip2', '425a683931415926535900'],
  ['lz4', '04224d186440a7'],
  ['lzma', '5d00008000ffffffffffffffff'],
  ['compress (.Z)', '1f9d9061'],
  ['zip', '504b030414000000'],
])('%s is withheld, because it cannot be masked', async (codec, hex) => {
  await expect(read('log', Buffer.from(hex, 'hex'))).rejects.toMatchObject({
    outcome: 'withheld',
    message: expect.stringMatching(
      new RegExp(`unknown codec ${codec.replaceAll(/[().]/g, String.raw`\$&`)}$`),
    ) as string,
  })
})

test('brotli, which marks nothing, is told by its name', () => {
  expect(codecOf(Buffer.from('anything'), 'log.br')).toEqual({ name: 'brotli', known: false })
})

test('the limit counts unpacked bytes; beginning and newest lines are kept', async () => {
  const limits = { entryBytes: 200_000 }
  const { bytes, text, end } = await read('log', gzipSync(plain), fileContext({ limits }))
  expect(bytes.length).toBeLessThanOrEqual(200_000)
  expect(bytes.length).toBeGreaterThan(190_000)
  const [head = '', tail = ''] = text.split(
    /\n… diagd: \d+ bytes left out here \(over the limit of 200000 bytes per entry\) …\n/,
  )
  expect(plain.startsWith(head) && head.endsWith('\n')).toBe(true)
  expect(plain.endsWith(tail) && tail.startsWith('line ')).toBe(true)
  expect(end).toMatchObject({ outcome: 'partial', cutBytes: plain.length - head.length - tail.length })
})

test('what just fits is not cut', async () => {
  const limits = { entryBytes: plain.length + 1000 }
  expect(await read('log', gzipSync(plain), fileContext({ limits }))).toMatchObject({
    text: plain,
    end: { outcome: 'ok' },
  })
})

test('a bomb is unpacked in bounded memory and bounded work', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const { bytes, end } = await read('log', bomb, fileContext({ limits: { entryBytes: 100_000 } }))
  expect(bytes.length).toBeLessThanOrEqual(100_000)
  expect(end).toMatchObject({ outcome: 'partial' })
  expect(end.detail).toContain('stopped after')
})

test('the window counts for lines as they are unpacked', async () => {
  const at = (minute: number) => new Date(Date.parse('2026-11-20T00:00:00Z') + minute * 60_000)
  const stamped = Array.from(
    { length: 1440 },
    (_, minute) => `${at(minute).toISOString()} line ${minute}\n  at trace ${minute}\n`,
  )
  const path = join(await tempFolder(), 'log.gz')
  await writeFile(path, gzipSync(stamped.join('')))
  await utimes(path, at(1440), at(1440))
  const ctx = fileContext({ intervals: [{ sinceMs: +at(700), untilMs: +at(702), reason: 'window' }] })
  const { text, end } = await readAll(await openFile({ path, windowed: true }, ctx))
  const size = (from: number, to: number) => stamped.slice(from, to).join('').length
  expect(text).toBe(
    `… diagd: ${size(0, 700)} bytes outside the window are left out here …\n` +
      stamped.slice(700, 703).join('') +
      `… diagd: ${size(703, 1440)} bytes outside the window are left out here …\n`,
  )
  expect(end).toEqual({ outcome: 'ok' })
})

test('return() midway ends the unpacking and closes the file', async () => {
  const path = join(await tempFolder(), 'log.gz')
  await writeFile(path, gzipSync(plain))
  const { chunks } = await openFile({ path, windowed: false }, fileContext())
  await chunks.next()
  await chunks.return({ outcome: 'ok' })
  expect(await openDescriptors(path)).toBe(0)
})
