import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { codecFor } from '../../src/archive/codec.ts'
import type { WrittenFile } from '../../src/archive/entry.ts'
import { verifyBundle } from '../../src/archive/verify.ts'
import { ArchiveWriter } from '../../src/archive/writer.ts'
import { memorySink } from '../helpers/archive.ts'
import { sha256, TOP } from '../helpers/bundle.ts'

const SEGMENTS = ['a', 'b'].map((word) => `2026-11-21T09:34:09.000000000Z stdout F ${word}\n`.repeat(5000))
const LOG = 'containers/web/log.log'

/** A small whole bundle with two spliced segments and a written end. `change` sees what the manifest will say. */
async function spliced(change: (files: Record<string, unknown>[]) => void = () => {}): Promise<Buffer> {
  const sink = memorySink()
  const writer = new ArchiveWriter(sink, codecFor('tar.gz', 6), TOP)
  const identity = { schema: 'diagd.bundle/1', bundleId: TOP }
  await writer.add({ path: 'index.json', mtimeMs: 0 }, JSON.stringify(identity))
  await writer.add({ path: 'summary.txt', mtimeMs: 0 }, 'all is well\n')
  const log = writer.file({ path: LOG, mtimeMs: 0 })
  for (const text of SEGMENTS.map((each) => Buffer.from(each))) {
    const bytes = zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_FULL_FLUSH })
    await log.splice!({
      bytes,
      lengthBytes: text.length,
      crc32: zlib.crc32(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    })
  }
  await log.write(Buffer.from('the end\n'))
  const [row] = await log.end()
  const sums = writer.files.flatMap((file) => (file.sha256 ? [`${file.sha256}  ${file.path}\n`] : [])).join('')
  await writer.add({ path: 'SHA256SUMS', mtimeMs: 0 }, sums)
  const files = structuredClone(writer.files) as (WrittenFile & Record<string, unknown>)[]
  change(files)
  const rows = [{ ...row, outcome: 'ok' }]
  const manifest = { ...identity, complete: true, outcome: 'whole', rows, files }
  await writer.add({ path: 'manifest.json', mtimeMs: 0 }, JSON.stringify(manifest))
  await writer.end()
  return sink.bytes()
}

async function findings(bytes: Buffer, pieceBytes = 65_536): Promise<string[]> {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
  return (await verifyBundle(Readable.from(pieces))).findings.map(({ message }) => message)
}

/** The same archive with this text in place of another, of the same length. */
function changed(bytes: Buffer, from: string, to: string): Buffer {
  const tar = zlib.gunzipSync(bytes)
  const at = tar.indexOf(from)
  expect(at).toBeGreaterThan(0)
  tar.write(to, at)
  return zlib.gzipSync(tar)
}

test.each([7, 1000, 1e9])('a bundle with spliced segments is whole, read in pieces of %i bytes', async (pieceBytes) => {
  expect(await findings(await spliced(), pieceBytes)).toEqual([])
})

test.each([
  ['the first segment', 'stdout F a\n', 'stdout F x\n', 0],
  ['a later one', 'stdout F b\n', 'stdout F x\n', SEGMENTS[0]!.length],
  ['what was written between and behind them', 'the end\n', 'the and\n', SEGMENTS.join('').length],
])('a changed byte in %s is found, and where', async (_, from, to, at) => {
  const [first] = await findings(changed(await spliced(), from, to))
  expect(first).toBe(`${LOG} has another SHA-256 than in manifest.json in its segment from byte ${at} on`)
})

test('another CRC-32, and segments that are not as long as the file, are found', async () => {
  const of = (change: (log: Record<string, unknown>) => void) =>
    spliced((files) => change(files.find(({ path }) => path === LOG)!)).then((bytes) => findings(bytes))
  expect(await of((log) => (log['crc32'] = '00000000'))).toEqual([`${LOG} has another CRC-32 than in manifest.json`])
  const short = await of((log) => (log['segments'] as unknown[]).pop())
  expect(short).toEqual([expect.stringMatching(/has 420008 bytes, its segments in manifest.json 420000$/)])
})

test('a file with neither kind of sum is no entry of a manifest', async () => {
  const bytes = await spliced((files) => delete files.find(({ path }) => path === LOG)!['segments'])
  expect((await findings(bytes))[0]).toContain('neither a SHA-256 nor the sums of its segments')
})

test('packed again without what tells the segments apart, its CRC-32 is checked', async () => {
  const bytes = await spliced()
  const tar = zlib.gunzipSync(bytes)
  const at = tar.indexOf('comment=diagd segments')
  tar.write('comment=nothing to see', at)
  expect(await findings(zlib.gzipSync(tar))).toEqual([])
  const damaged = changed(zlib.gzipSync(tar), 'the end\n', 'the and\n')
  expect(await findings(damaged)).toEqual([`${LOG} has another CRC-32 than in manifest.json`])
})

test('a file that has its own SHA-256 has to be listed in SHA256SUMS', async () => {
  const bytes = await spliced((files) => {
    const log = files.find(({ path }) => path === LOG)!
    delete log['segments']
    delete log['crc32']
    log['sha256'] = sha256(`${SEGMENTS.join('')}the end\n`)
  })
  expect(await findings(bytes)).toEqual([`${LOG} is not listed in SHA256SUMS`])
})
