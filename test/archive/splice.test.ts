import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import zlib from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { codecFor, type Format } from '../../src/archive/codec.ts'
import type { DeflatedSegment, WrittenFile } from '../../src/archive/entry.ts'
import { ArchiveWriter } from '../../src/archive/writer.ts'
import { extract, memorySink, temporaryFolder } from '../helpers/archive.ts'

const folder = temporaryFolder()
afterAll(folder.remove)

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** As a stored log has it. */
function deflated(text: Buffer, level = 6): DeflatedSegment {
  const bytes = zlib.deflateRawSync(text, { level, finishFlush: zlib.constants.Z_FULL_FLUSH })
  return { bytes, lengthBytes: text.length, crc32: zlib.crc32(text), sha256: sha256(text) }
}

interface Piece {
  readonly spliced: boolean
  readonly content: Buffer
}

/** One file of these pieces between two others. */
async function archived(pieces: readonly Piece[], format: Format = 'tar.gz') {
  const sink = memorySink()
  const writer = new ArchiveWriter(sink, codecFor(format, 6), 'top')
  await writer.add({ path: 'before', mtimeMs: 0 }, 'before')
  const entry = writer.file({ path: 'log.log', mtimeMs: 0 })
  for (const { spliced, content } of pieces)
    await (spliced && entry.splice ? entry.splice(deflated(content)) : entry.write(content))
  const files = await entry.end()
  await writer.add({ path: 'after', mtimeMs: 0 }, 'after')
  await writer.end()
  return { bytes: sink.bytes(), files, writer }
}

const lines = (count: number, word: string) => Buffer.from(`2026-11-21T09:34:09 ${word} says something\n`.repeat(count))

/** Python's own gzip and tar, which know nothing of segments. */
const PYTHON = `
import sys, tarfile, zlib
d = zlib.decompressobj(31)
n = len(d.decompress(open(sys.argv[1], "rb").read()))
print(n, len(d.unused_data), d.eof)
for m in tarfile.open(sys.argv[1]):
    data = tarfile.open(sys.argv[1]).extractfile(m.name).read()
    print(m.name, m.size, "%08x" % zlib.crc32(data))
`

test('segments between written bytes come out of every reader as they went in', async () => {
  const parts = [lines(3, 'written'), lines(20_000, 'spliced'), lines(30_000, 'again'), lines(2, 'written at the end')]
  const pieces = parts.map((content, index) => ({ content, spliced: index === 1 || index === 2 }))
  const { bytes, files, writer } = await archived(pieces)
  const whole = Buffer.concat(parts)
  const found = extract(bytes)
  expect(found.get('top/log.log')!.equals(whole)).toBe(true)
  expect(found.get('top/after')!.toString()).toBe('after')
  const file = join(folder.path, 'spliced.tar.gz')
  writeFileSync(file, bytes)
  execFileSync('gzip', ['-t', file])
  const [stream, ...members] = execFileSync('python3', ['-c', PYTHON, file]).toString().trim().split('\n')
  expect(stream).toBe(`${writer.bytesIn} 0 True`)
  const crc = zlib.crc32(whole).toString(16).padStart(8, '0')
  expect(members).toContain(`top/log.log ${whole.length} ${crc}`)
  expect(files).toEqual([
    {
      path: 'log.log',
      sizeBytes: whole.length,
      crc32: crc,
      segments: parts.map((part) => ({ sizeBytes: part.length, sha256: sha256(part) })),
    },
  ])
})

test('GNU tar and bsdtar have nothing to say about them', async () => {
  const { bytes } = await archived([{ spliced: true, content: lines(10, 'x') }])
  const file = join(folder.path, 'quiet.tar.gz')
  writeFileSync(file, bytes)
  for (const command of ['tar', 'bsdtar']) {
    const said = execFileSync('sh', ['-c', `${command} -tf "$1" 2>&1`, 'sh', file]).toString()
    expect(said).toBe('top/before\ntop/log.log\ntop/after\n')
  }
})

test.each(['tar.zst', 'tar'] as const)('%s cannot take them, and says so before', async (format) => {
  const writer = new ArchiveWriter(memorySink(), codecFor(format, 6), 'top')
  expect(writer.file({ path: 'log.log', mtimeMs: 0 }).splice).toBeUndefined()
  writer.destroy()
})

test('whatever is written and spliced, in whatever order: the same file, and sums that hold for each stretch', async () => {
  const piece = fc.record({
    spliced: fc.boolean(),
    content: fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 40_000 }).map((count) => lines(count, String(count))),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const { bytes, files } = await archived(pieces)
      const whole = Buffer.concat(pieces.map(({ content }) => content))
      const tar = zlib.gunzipSync(bytes)
      expect(tar.includes(whole)).toBe(true)
      expect(files).toHaveLength(1)
      expectSums(files[0]!, whole)
      const wasSpliced = pieces.some(({ spliced, content }) => spliced && content.length > 0)
      expect(files[0]!.segments !== undefined).toBe(wasSpliced)
    }),
    { numRuns: 60 },
  )
})

function expectSums({ sizeBytes, crc32, segments, ...file }: WrittenFile, content: Buffer): void {
  expect(sizeBytes).toBe(content.length)
  if (!segments) return expect(file.sha256).toBe(sha256(content))
  expect(file.sha256).toBe(segments.length === 1 ? sha256(content) : undefined)
  expect(crc32).toBe(zlib.crc32(content).toString(16).padStart(8, '0'))
  let at = 0
  for (const segment of segments) {
    expect(segment.sizeBytes).toBeGreaterThan(0)
    expect(segment.sha256).toBe(sha256(content.subarray(at, at + segment.sizeBytes)))
    at += segment.sizeBytes
  }
  expect(at).toBe(content.length)
}

test('what is held of them is bounded: a file past its budget goes on in parts, each with its own sums', async () => {
  const pieces = Array.from({ length: 30 }, (_, index) => ({
    spliced: index % 5 !== 4,
    content: randomBytes(1_000_000),
  }))
  const { bytes, files } = await archived(pieces)
  expect(files.length).toBeGreaterThan(2)
  const found = extract(bytes)
  const whole = Buffer.concat(pieces.map(({ content }) => content))
  expect(Buffer.concat(files.map(({ path }) => found.get(`top/${path}`)!)).equals(whole)).toBe(true)
  for (const file of files) expectSums(file, found.get(`top/${file.path}`)!)
})

test('one that is given up leaves no trace, and what it held is free again', async () => {
  const sink = memorySink()
  const writer = new ArchiveWriter(sink, codecFor('tar.gz', 6), 'top')
  for (let round = 0; round < 4; round++) {
    const given = writer.file({ path: `given-up-${round}`, mtimeMs: 0 })
    for (let mebibyte = 0; mebibyte < 5; mebibyte++) await given.splice!(deflated(randomBytes(1_000_000)))
    given.discard()
  }
  const kept = writer.file({ path: 'kept', mtimeMs: 0 })
  for (let mebibyte = 0; mebibyte < 5; mebibyte++) await kept.splice!(deflated(randomBytes(1_000_000)))
  expect(await kept.end()).toHaveLength(1)
  await writer.end()
  expect([...extract(sink.bytes()).keys()]).toEqual(['top/kept'])
})
