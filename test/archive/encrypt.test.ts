import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { codecFor } from '../../src/archive/codec.ts'
import { encryptedSink } from '../../src/archive/encrypt.ts'
import type { Sink } from '../../src/archive/output.ts'
import { verifyBundle } from '../../src/archive/verify.ts'
import { ArchiveWriter } from '../../src/archive/writer.ts'
import { ageOpens, describeWithAge, keyPair } from '../helpers/age.ts'
import type { KeyPair } from '../helpers/age.ts'
import { extract, memorySink, temporaryFolder } from '../helpers/archive.ts'
import { realBundle } from '../helpers/bundle.ts'
import { collector, makeBundle } from '../helpers/make-bundle.ts'

const KIB = 1024
/** A chunk of the age format, and its tag. */
const CHUNK_BYTES = 64 * KIB + 16
const NOISE = randomBytes(5 * KIB * KIB)

const folder = temporaryFolder()
afterAll(folder.remove)

let key: KeyPair
let other: KeyPair

/** The worker that is started next. */
async function nextWorker(): Promise<Worker> {
  const [worker] = (await once(process, 'worker')) as [Worker]
  return worker
}

/** A thread that has ended has no id any more. */
const GONE = -1

async function encrypted(pieces: readonly Buffer[], recipients = [key.recipient]): Promise<Buffer> {
  const memory = memorySink()
  const sink = encryptedSink(memory, recipients)
  try {
    for (const piece of pieces) await sink.write(piece)
    await sink.end()
    expect(sink.bytesOut()).toBe(memory.bytes().length)
  } finally {
    await sink.destroy()
  }
  return memory.bytes()
}

describeWithAge('encryption', () => {
  beforeAll(() => {
    key = keyPair(folder.path)
    other = keyPair(folder.path)
  })

  describe("age opens what diagd's worker encrypted", () => {
    test.each([0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 256 * KIB + 1, NOISE.length])(
      '%i bytes',
      async (length) => {
        const plain = NOISE.subarray(0, length)
        const opened = ageOpens(await encrypted([plain]), key)
        expect(opened.stderr).toBe('')
        expect(opened.plain.equals(plain)).toBe(true)
      },
    )

    test('in the order of the writes, however long they are', async () => {
      const memory = memorySink()
      const sink = encryptedSink(memory, [key.recipient])
      const lengths = [1, 5, 700_000, 0, 65_536, 3, 1_000_000, 10]
      let at = 0
      for (const length of lengths) await sink.write(NOISE.subarray(at, (at += length)))
      await sink.end()
      await sink.destroy()
      expect(ageOpens(memory.bytes(), key).plain.equals(NOISE.subarray(0, at))).toBe(true)
    })

    test('with the key of each recipient, and with no other', async () => {
      const bytes = await encrypted([NOISE], [key.recipient, other.recipient])
      for (const one of [key, other]) expect(ageOpens(bytes, one).plain.equals(NOISE)).toBe(true)
      expect(ageOpens(bytes, keyPair(folder.path))).toMatchObject({
        whole: false,
        stderr: expect.stringContaining('no identity'),
      })
    })

    test('what is written stays as it was: the buffer is its owner’s', async () => {
      const plain = Buffer.from(NOISE.subarray(0, 300_000))
      await encrypted([plain])
      expect(plain.equals(NOISE.subarray(0, 300_000))).toBe(true)
    })

    test('refuses it cut, wherever that is', async () => {
      const bytes = await encrypted([NOISE.subarray(0, 200 * KIB)])
      const header = bytes.length - (200 * KIB + 4 * 16)
      const cuts = [10, header - 1, header, header + 1, ...[1, 2, 3].map((chunks) => header + chunks * CHUNK_BYTES)]
      for (const cut of [...cuts, bytes.length - 1])
        expect(ageOpens(bytes.subarray(0, cut), key).whole, `cut after ${cut} bytes`).toBe(false)
      expect(ageOpens(bytes, key).whole).toBe(true)
    })
  })

  describe.each(['tar.gz', 'tar.zst', 'tar'] as const)('a bundle of the engine, as %s', (format) => {
    let bundle: Buffer
    beforeAll(async () => {
      bundle = await realBundle({ format, recipient: key.recipient })
    })
    const verify = (bytes: Buffer, keys = [key.identity]) => verifyBundle(Readable.from([bytes]), keys)

    test('opens with age and tar, and says to how many it was encrypted', () => {
      const files = extract(ageOpens(bundle, key).plain, format)
      const index = [...files].find(([path]) => path.endsWith('/index.json'))![1]
      expect(JSON.parse(index.toString())).toMatchObject({ format, encryption: { format: 'age', recipients: 1 } })
      expect([...files.keys()].some((path) => path.endsWith('/manifest.json'))).toBe(true)
    })

    test('is whole to who has the key, and a secret to who has not', async () => {
      expect(await verify(bundle)).toMatchObject({ whole: true, findings: [], format, encrypted: true })
      await expect(verify(bundle, [])).rejects.toThrow('it is encrypted, and nothing is known of what is inside')
      await expect(verify(bundle, [other.identity])).rejects.toThrow('no key given opens it')
    })

    test('is not whole when cut, and says so', async () => {
      for (const missing of [1, 16, 17, 700, bundle.length - 300]) {
        const report = await verify(bundle.subarray(0, bundle.length - missing))
        expect(report.whole, `${missing} bytes missing`).toBe(false)
        expect(report.findings).toContainEqual({
          kind: 'cut',
          message: 'the encrypted stream stops before its end, or is damaged there',
        })
      }
    })

    test('is not whole when its header is cut, or something follows its end', async () => {
      expect((await verify(bundle.subarray(0, 100))).findings).toContainEqual({
        kind: 'damaged',
        message: expect.stringContaining('the header of the encrypted stream cannot be read'),
      })
      expect((await verify(Buffer.concat([bundle, Buffer.from('x')]))).whole).toBe(false)
    })
  })

  test('damage in the middle of a long bundle is told from a cut', async () => {
    const noise = collector(function* ({ text }) {
      yield text('noise.txt', () => randomBytes(2 * KIB * KIB).toString('hex'))
    })
    const memory = memorySink()
    await makeBundle({ noise }, { parameters: { format: 'tar' } }).then(async ({ bytes }) => {
      const sink = encryptedSink(memory, [key.recipient])
      await sink.write(bytes)
      await sink.end()
      await sink.destroy()
    })
    const bytes = memory.bytes()
    bytes[CHUNK_BYTES]! ^= 1
    const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
      bytes.subarray(at * 65_536, (at + 1) * 65_536),
    )
    const { findings } = await verifyBundle(Readable.from(pieces), [key.identity])
    expect(findings).toContainEqual({
      kind: 'damaged',
      message: expect.stringContaining('the encrypted stream is not as it was written'),
    })
  })

  describe('while there is nothing to say', () => {
    test.each(['tar.gz', 'tar.zst'] as const)('%s: chunks get through, and do no harm', async (format) => {
      const chunks: Buffer[] = []
      const silence = Promise.withResolvers<void>()
      const inner: Sink = {
        async write(chunk) {
          chunks.push(Buffer.from(chunk))
          if (chunks.filter(({ length }) => length === CHUNK_BYTES).length >= 3) silence.resolve()
        },
      }
      const sink = encryptedSink(inner, [key.recipient])
      const writer = new ArchiveWriter(sink, codecFor(format, 6), 'top', 5)
      await writer.add({ path: 'a', mtimeMs: 0 }, 'before')
      await writer.flush()
      // Nothing is written from here on: what comes out comes of silence.
      await silence.promise
      await writer.add({ path: 'b', mtimeMs: 0 }, 'after')
      await writer.end()
      await sink.end()
      await sink.destroy()
      const files = extract(ageOpens(Buffer.concat(chunks), key).plain, format)
      expect([...files.values()].map(String)).toEqual(['before', 'after'])
    })
  })

  describe('a sink that takes nothing', () => {
    test('stops the writer within a bound, and ends it when it is gone', async () => {
      const stuck = Promise.withResolvers<void>()
      const started = nextWorker()
      const asked = Promise.withResolvers<void>()
      const inner: Sink = { write: () => (asked.resolve(), stuck.promise) }
      const sink = encryptedSink(inner, [key.recipient])
      const worker = await started
      let taken = 0
      const writing = (async () => {
        for (;;) {
          await sink.write(NOISE.subarray(0, 64 * KIB))
          taken += 64 * KIB
        }
      })()
      writing.catch(() => {})
      await asked.promise
      // Progress ends by itself: it does not go on between two looks.
      await vi.waitUntil(
        (before = taken) => new Promise((resolve) => setTimeout(() => resolve(taken > 0 && taken === before), 100)),
        { timeout: 30_000 },
      )
      expect(taken).toBeLessThanOrEqual(KIB * KIB)
      stuck.reject(new Error('the client has gone'))
      await expect(writing).rejects.toThrow('the client has gone')
      await expect(sink.end()).rejects.toThrow('the client has gone')
      await sink.destroy()
      expect(worker.threadId).toBe(GONE)
    })

    test('lets go of who waits when the encryption is closed', async () => {
      const sink = encryptedSink({ write: () => new Promise(() => {}) }, [key.recipient])
      const writing = sink.write(NOISE)
      writing.catch(() => {})
      await sink.destroy()
      await expect(writing).rejects.toThrow('the encryption is closed')
    })
  })

  describe('a worker that fails', () => {
    test('with an error ends the stream with it', async () => {
      const memory = memorySink()
      const sink = encryptedSink(memory, ['age1nobody'])
      await expect(sink.end()).rejects.toThrow('the encryption failed: ')
      await expect(sink.write(NOISE)).rejects.toThrow('the encryption failed: ')
      await sink.destroy()
      expect(memory.bytes().length).toBe(0)
    })

    test('that goes away ends the stream', async () => {
      const started = nextWorker()
      const memory = memorySink()
      const sink = encryptedSink(memory, [key.recipient])
      const worker = await started
      await sink.write(NOISE.subarray(0, 100_000))
      await worker.terminate()
      await expect(sink.end()).rejects.toThrow('the encryption has stopped')
      await expect(sink.write(NOISE)).rejects.toThrow('the encryption has stopped')
      await sink.destroy()
      expect(ageOpens(memory.bytes(), key).whole).toBe(false)
    })
  })

  describe('no worker is left', () => {
    const endless = collector(function* ({ command }) {
      yield command`yes`.as('yes.txt')
    })
    const parameters = () => ({ recipient: key.recipient, format: 'tar', limits: 'none' })

    test('behind a whole bundle', async () => {
      const started = nextWorker()
      await realBundle({ recipient: key.recipient })
      expect((await started).threadId).toBe(GONE)
    })

    test('behind one whose reader went away', async () => {
      const started = nextWorker()
      let written = 0
      const sink: Sink = {
        async write({ length }) {
          written += length
          if (written > KIB * KIB) throw new Error('the client has gone')
        },
      }
      await expect(makeBundle({ endless }, { parameters: parameters(), sink })).rejects.toThrow('the client has gone')
      expect((await started).threadId).toBe(GONE)
    })

    test('behind one that was aborted', async () => {
      const started = nextWorker()
      const controller = new AbortController()
      const sink: Sink = { write: async () => controller.abort(new Error('enough')) }
      const { signal } = controller
      await expect(makeBundle({ endless }, { parameters: parameters(), sink, signal })).rejects.toThrow('enough')
      expect((await started).threadId).toBe(GONE)
    })

    test('behind one whose worker went away, and it is no bundle', async () => {
      const started = nextWorker().then((worker) => worker.terminate())
      await expect(makeBundle({ endless }, { parameters: parameters() })).rejects.toThrow('the encryption has stopped')
      await started
    })
  })
})
