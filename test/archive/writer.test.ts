import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { codecFor, type Format } from '../../src/archive/codec.ts'
import { ArchiveWriter } from '../../src/archive/writer.ts'
import { extract, listNames, memorySink, temporaryFolder } from '../helpers/archive.ts'

const MTIME_MS = Date.UTC(2026, 10, 21, 9, 34, 9)
const folder = temporaryFolder()
afterAll(folder.remove)

function archive(format: Format = 'tar.gz', idleMs?: number) {
  const sink = memorySink()
  return { sink, writer: new ArchiveWriter(sink, codecFor(format, 6), 'top', idleMs) }
}

/** Incompressible, so that what is held grows as fast as what is written. */
const NOISE = randomBytes(1024 * 1024)
const LINES = Buffer.from('2026-11-21T09:34:09.123456+00:00 node dockerd[812]: shim disconnected\n'.repeat(20_000))

describe('the stream', () => {
  test.each(['tar.gz', 'tar.zst', 'tar'] as const)(
    '%s: files of known and unknown length come back as written',
    async (format) => {
      const { sink, writer } = archive(format)
      await writer.add({ path: 'small.txt', mtimeMs: MTIME_MS }, 'small\n')
      const sized = writer.sizedFile({ path: 'a/sized.log', mtimeMs: MTIME_MS, sizeBytes: LINES.length })
      await sized.write(LINES)
      await sized.end()
      const held = writer.file({ path: 'a/held.log', mtimeMs: MTIME_MS })
      await held.write(LINES)
      await held.write(Buffer.from('tail'))
      await held.end()
      await writer.add({ path: 'empty', mtimeMs: MTIME_MS }, '')
      await writer.end()
      const files = extract(sink.bytes(), format)
      expect([...files.keys()].sort()).toEqual(['top/a/held.log', 'top/a/sized.log', 'top/empty', 'top/small.txt'])
      expect(files.get('top/small.txt')!.toString()).toBe('small\n')
      expect(files.get('top/a/sized.log')!.equals(LINES)).toBe(true)
      expect(files.get('top/a/held.log')!.equals(Buffer.concat([LINES, Buffer.from('tail')]))).toBe(true)
    },
  )

  test('is one gzip member with the right CRC and length', async () => {
    const { sink, writer } = archive()
    const entry = writer.file({ path: 'log', mtimeMs: MTIME_MS })
    for (let round = 0; round < 5; round++) await entry.write(LINES)
    await entry.end()
    await writer.end()
    const file = join(folder.path, 'one.tar.gz')
    writeFileSync(file, sink.bytes())
    execFileSync('gzip', ['-t', file])
    expect(spawnSync('gzip', ['-l', file]).stdout.toString()).toContain(String(writer.bytesIn))
    // Python stops a member at its end and keeps the rest apart: there is no rest.
    const script =
      'import sys,zlib;d=zlib.decompressobj(31);n=len(d.decompress(open(sys.argv[1],"rb").read()));print(n,len(d.unused_data),d.eof)'
    expect(execFileSync('python3', ['-c', script, file]).toString().trim()).toBe(`${writer.bytesIn} 0 True`)
  })

  test('opens in bsdtar, Python and the web platform', async () => {
    const { sink, writer } = archive()
    await writer.add({ path: `${'ü'.repeat(60)}/${'long'.repeat(40)}`, mtimeMs: MTIME_MS }, 'text')
    await writer.end()
    const file = join(folder.path, 'readers.tar.gz')
    writeFileSync(file, sink.bytes())
    const script = 'import sys,tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name, m.size, int(m.mtime))'
    const name = `top/${'ü'.repeat(60)}/${'long'.repeat(40)}`
    expect(
      execFileSync('python3', ['-c', script, file], { env: { ...process.env, PYTHONIOENCODING: 'utf8' } })
        .toString()
        .trim(),
    ).toBe(`${name} 4 ${MTIME_MS / 1000}`)
    const stream = new Blob([new Uint8Array(sink.bytes())]).stream().pipeThrough(new DecompressionStream('gzip'))
    expect((await new Response(stream).arrayBuffer()).byteLength).toBe(writer.bytesIn)
    const bsdtar = spawnSync('bsdtar', ['-tf', file], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    if (!bsdtar.error) expect(bsdtar.stdout.toString().trim()).toBe(name)
  })

  test('says each file with its size and sha256', async () => {
    const { writer } = archive()
    await writer.add({ path: 'a', mtimeMs: MTIME_MS }, 'content')
    expect(writer.files).toEqual([
      { path: 'a', sizeBytes: 7, sha256: createHash('sha256').update('content').digest('hex') },
    ])
    writer.destroy()
  })

  test('what is flushed can be decompressed at once', async () => {
    const { sink, writer } = archive()
    await writer.add({ path: 'index.json', mtimeMs: MTIME_MS }, '{"first":true}')
    await writer.flush()
    const arrived = gunzipSync(sink.bytes(), { finishFlush: 2 })
    expect(arrived.toString('latin1')).toContain('{"first":true}')
    writer.destroy()
  })

  test.each(['tar.gz', 'tar.zst'] as const)('%s: idle bytes while nothing is said do no harm', async (format) => {
    const chunks: Buffer[] = []
    const idle = Promise.withResolvers<void>()
    const sink = {
      write: async (chunk: Buffer) => {
        chunks.push(Buffer.from(chunk))
        if (chunks.length >= 6) idle.resolve()
      },
    }
    const writer = new ArchiveWriter(sink, codecFor(format, 6), 'top', 5)
    await writer.add({ path: 'a', mtimeMs: MTIME_MS }, 'before')
    await writer.flush()
    await idle.promise
    await writer.add({ path: 'b', mtimeMs: MTIME_MS }, 'after')
    await writer.end()
    const files = extract(Buffer.concat(chunks), format)
    expect([...files.values()].map(String)).toEqual(['before', 'after'])
  })
})

test('nothing follows the end of the stream, however close silence and the end come together', async () => {
  for (let round = 0; round < 300; round++) {
    const { sink, writer } = archive('tar.gz', 1)
    await writer.add({ path: 'noise', mtimeMs: MTIME_MS }, NOISE.subarray(0, 100_000 + 500 * round))
    await writer.end()
    // RFC 1952: a member ends with the length of what it held.
    expect(sink.bytes().readUInt32LE(sink.bytes().length - 4), `round ${round}`).toBe(writer.bytesIn)
  }
})

describe('memory', () => {
  test('a file past its budget goes on in parts that join to the whole', async () => {
    const { sink, writer } = archive()
    const hash = createHash('sha256')
    const entry = writer.file({ path: 'flood.bin', mtimeMs: MTIME_MS })
    for (let mebibyte = 0; mebibyte < 30; mebibyte++) {
      await entry.write(NOISE)
      hash.update(NOISE)
    }
    const parts = await entry.end()
    await writer.end()
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.slice(0, 2).map(({ path }) => path)).toEqual(['flood.bin', 'flood.bin.part-0002'])
    const files = extract(sink.bytes())
    const joined = createHash('sha256')
    for (const { path } of parts) joined.update(files.get(`top/${path}`)!)
    expect(joined.digest('hex')).toBe(hash.digest('hex'))
  })

  test('a sink that takes nothing stops the writers within a bound', async () => {
    const stuck = Promise.withResolvers<void>()
    const writer = new ArchiveWriter({ write: () => stuck.promise }, codecFor('tar.gz', 1), 'top')
    const entry = writer.sizedFile({ path: 'big', mtimeMs: MTIME_MS, sizeBytes: 1e12 })
    let taken = 0
    const writing = (async () => {
      for (; taken < 64 * NOISE.length; taken += NOISE.length) await entry.write(NOISE)
    })()
    writing.catch(() => {})
    // Progress ends by itself: it does not go on between two looks.
    await vi.waitUntil(
      (before = taken) => new Promise((resolve) => setTimeout(() => resolve(taken > 0 && taken === before), 100)),
      { timeout: 30_000 },
    )
    expect(taken).toBeLessThan(16 * 1024 * 1024)
    stuck.reject(new Error('the client has gone'))
    await expect(writing).rejects.toThrow('the client has gone')
    writer.destroy()
  })
})

describe('failure', () => {
  test('of the sink reaches whoever writes next', async () => {
    const writer = new ArchiveWriter(
      { write: async () => Promise.reject(new Error('gone')) },
      codecFor('tar.gz', 6),
      'top',
    )
    await expect(
      (async () => {
        for (;;) await writer.add({ path: `a${writer.files.length}`, mtimeMs: MTIME_MS }, NOISE)
      })(),
    ).rejects.toThrow('gone')
    writer.destroy()
  })

  test('of one entry leaves the others untouched', async () => {
    const { sink, writer } = archive()
    const given = writer.file({ path: 'given-up', mtimeMs: MTIME_MS })
    await given.write(LINES)
    given.discard()
    await writer.add({ path: 'kept', mtimeMs: MTIME_MS }, 'kept')
    await writer.end()
    expect(listNames(sink.bytes())).toEqual(['top/kept'])
  })

  test('a sized file refuses more or fewer bytes than announced', async () => {
    const { writer } = archive()
    await expect(writer.sizedFile({ path: 'a', mtimeMs: 0, sizeBytes: 1 }).write(Buffer.from('xx'))).rejects.toThrow(
      '1 announced',
    )
    await expect(writer.sizedFile({ path: 'b', mtimeMs: 0, sizeBytes: 1 }).end()).rejects.toThrow(
      '0 bytes written, 1 announced',
    )
    writer.destroy()
  })
})
