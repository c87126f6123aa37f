import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { verifyBundle } from '../../src/archive/verify.ts'
import { handmade, handmadeTar, realBundle, sha256, TOP } from '../helpers/bundle.ts'
import type { Handmade } from '../helpers/bundle.ts'
import { collector, makeBundle } from '../helpers/make-bundle.ts'

/** In pieces of so many bytes: what is true must not depend on where the network cut. */
function verify(bytes: Buffer, pieceBytes = 65_536) {
  const pieces: Buffer[] = []
  for (let start = 0; start < bytes.length; start += pieceBytes) pieces.push(bytes.subarray(start, start + pieceBytes))
  return verifyBundle(Readable.from(pieces))
}

const FORMATS = ['tar.gz', 'tar.zst', 'tar'] as const

describe.each(FORMATS)('a bundle of the engine, as %s', (format) => {
  test.each([1, 1000, 65_536, 1e9])('is whole, read in pieces of %i bytes', async (pieceBytes) => {
    const only = pieceBytes === 1 ? 'bad' : undefined
    const report = await verify(await realBundle({ format, only }), pieceBytes)
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ whole: true, format, outcome: 'partial', lastWhole: 'manifest.json' })
    expect(report.bundleId).toMatch(/^debug-test-/)
  })

  test('is cut wherever it is cut', async () => {
    const bytes = await realBundle({ format, only: 'good' })
    for (const missing of [1, 4, 7, 8, 9, 11, 600, Math.floor(bytes.length / 2), bytes.length - 600]) {
      const report = await verify(bytes.subarray(0, bytes.length - missing))
      expect(report.whole, `${missing} bytes missing`).toBe(false)
      expect(
        report.findings.map(({ kind }) => kind),
        `${missing} bytes missing`,
      ).toContain('cut')
      expect(
        report.findings.map(({ kind }) => kind),
        `${missing} bytes missing`,
      ).not.toContain('damaged')
    }
  })

  test('tells which file was the last to arrive whole, though only the end of the stream is missing', async () => {
    const bytes = await realBundle({ format, only: 'good' })
    expect(await verify(bytes.subarray(0, bytes.length - 4))).toMatchObject({
      whole: false,
      lastWhole: 'manifest.json',
    })
  })

  test.each(['garbage that nobody sent', '\0\0\0\0', '\u001f'])('is damaged when %j follows it', async (garbage) => {
    const bytes = await realBundle({ format, only: 'good' })
    for (const pieceBytes of [bytes.length, 65_536]) {
      const report = await verify(Buffer.concat([bytes, Buffer.from(garbage, 'latin1')]), pieceBytes)
      expect(report.whole).toBe(false)
      expect(report.findings).not.toEqual([])
    }
  })

  test('is damaged when a bit is another', async () => {
    const bytes = await realBundle({ format, only: 'good' })
    const damaged = Buffer.from(bytes)
    damaged[Math.floor(bytes.length * 0.6)]! ^= 0x10
    const report = await verify(damaged)
    expect(report.findings.map(({ kind }) => kind)).toContain('damaged')
  })
})

test('tells which file was the last to arrive whole, when the next one is cut', async () => {
  const tar = await handmadeTar()
  const report = await verify(tar.subarray(0, tar.indexOf(`${TOP}/good/b.txt`) + 513))
  expect(report).toMatchObject({ whole: false, lastWhole: 'good/a.txt', files: 3 })
  expect(report.findings.map(({ kind }) => kind)).toEqual(['cut'])
})

test('two gzip streams are not one bundle', async () => {
  const bytes = await realBundle({ only: 'good' })
  const report = await verify(Buffer.concat([bytes, bytes]))
  expect(report.findings).toEqual([
    { kind: 'damaged', message: `${bytes.length} bytes follow the end of the gzip stream` },
  ])
})

test('a stream packed again by somebody else is still whole', async () => {
  const named = gzipSync(gunzipSync(await realBundle({ only: 'good' })))
  // A header with a name, as `gzip FILE` writes it.
  const header = Buffer.concat([
    named.subarray(0, 3),
    Buffer.from([8]),
    named.subarray(4, 10),
    Buffer.from('bundle.tar\0'),
  ])
  const repacked = Buffer.concat([header, named.subarray(10)])
  expect(gunzipSync(repacked).equals(gunzipSync(named))).toBe(true)
  expect((await verify(repacked)).findings).toEqual([])
  expect((await verify(repacked, 3)).findings).toEqual([])
  const zstd = zstdCompressSync(await handmadeTar())
  expect(zstdDecompressSync(zstd).length).toBeGreaterThan(0)
  expect((await verify(zstd)).findings).toEqual([])
})

test('a changed checksum of the gzip stream is damage', async () => {
  const bytes = Buffer.from(await handmade())
  bytes[bytes.length - 6]! ^= 1
  expect((await verify(bytes)).findings).toEqual([
    { kind: 'damaged', message: 'the checksum of the gzip stream does not match its content' },
  ])
})

test.each([
  ['nothing', Buffer.alloc(0), 'cut', 'it is empty'],
  ['text', Buffer.from('<html>504 Gateway Time-out</html>'), 'damaged', 'it is neither gzip nor zstd nor tar'],
  [
    'the first bytes of a gzip stream',
    Buffer.from([0x1f, 0x8b, 8, 0]),
    'cut',
    'it stops inside the header of the gzip stream',
  ],
])('%s is no bundle', async (_, bytes, kind, message) => {
  const report = await verify(bytes)
  expect(report).toMatchObject({ whole: false, bundleId: undefined, files: 0, lastWhole: undefined })
  expect(report.findings[0]).toEqual({ kind, message })
})

test('an input that cannot be read is an error, not a finding', async () => {
  const input = new Readable({
    read() {
      this.destroy(new Error('EIO: the disk is gone'))
    },
  })
  await expect(verifyBundle(input)).rejects.toThrow('the disk is gone')
})

const file = (bundle: Handmade, path: string) => bundle.files.find((each) => each.path === path)!
const listed = (bundle: Handmade, path: string) => bundle.manifest.files.find((each) => each.path === path)!

describe('a bundle made by hand', () => {
  test('is whole as it is', async () => {
    expect((await verify(await handmade())).findings).toEqual([])
  })

  const cases: [string, (bundle: Handmade) => void, string[]][] = [
    [
      'with a changed file',
      (bundle) => {
        file(bundle, 'good/a.txt').content = 'b\n'
      },
      ['good/a.txt has another SHA-256 than in manifest.json'],
    ],
    [
      'with a longer file',
      (bundle) => {
        file(bundle, 'good/a.txt').content = 'aaa\n'
      },
      ['good/a.txt has 4 bytes, 2 in manifest.json'],
    ],
    [
      'without a listed file',
      (bundle) => void bundle.files.splice(2, 1),
      ['good/a.txt is in manifest.json and missing from the archive'],
    ],
    [
      'with a file that nobody listed',
      (bundle) => void bundle.files.splice(3, 0, { path: 'good/new.txt', content: '' }),
      ['good/new.txt is not listed in manifest.json'],
    ],
    [
      'with a file that SHA256SUMS does not list',
      (bundle) => {
        bundle.files.splice(3, 0, { path: 'good/new.txt', content: '' })
        bundle.manifest.files.push({ path: 'good/new.txt', sizeBytes: 0, sha256: sha256('') })
      },
      ['good/new.txt is not listed in SHA256SUMS'],
    ],
    [
      'with another sum in SHA256SUMS',
      (bundle) => {
        const sums = file(bundle, 'SHA256SUMS')
        sums.content = sums.content.replace(sha256('a\n'), sha256('x'))
        Object.assign(listed(bundle, 'SHA256SUMS'), { sha256: sha256(sums.content) })
      },
      ['good/a.txt has another SHA-256 than in SHA256SUMS'],
    ],
    [
      'with a line in SHA256SUMS that is none',
      (bundle) => {
        const sums = file(bundle, 'SHA256SUMS')
        sums.content += 'what\n'
        Object.assign(listed(bundle, 'SHA256SUMS'), { sha256: sha256(sums.content), sizeBytes: sums.content.length })
      },
      ['SHA256SUMS has a line that is no checksum: "what"'],
    ],
    [
      'without SHA256SUMS',
      (bundle) => void bundle.files.pop(),
      ['SHA256SUMS is missing', 'SHA256SUMS is in manifest.json and missing from the archive'],
    ],
    [
      'with a file twice',
      (bundle) => void bundle.files.splice(3, 0, { path: 'good/a.txt', content: 'a\n' }),
      ['good/a.txt is there twice'],
    ],
    [
      'with index.json not first',
      (bundle) => void bundle.files.unshift(bundle.files.pop()!),
      ['index.json is not the first entry, SHA256SUMS is', 'summary.txt is not the second entry, index.json is'],
    ],
    [
      'with a file outside',
      (bundle) => void bundle.files.splice(3, 0, { path: '/elsewhere/x', content: '' }),
      [`elsewhere/x is outside of the top folder ${TOP}`, 'x is not listed in manifest.json'],
    ],
    [
      'with a path that leads out',
      (bundle) => void bundle.files.splice(3, 0, { path: '../x', content: '' }),
      [`${TOP}/../x is outside of the top folder ${TOP}`, '../x is not listed in manifest.json'],
    ],
    [
      'with the manifest of another bundle',
      (bundle) => void Object.assign(bundle.manifest, { bundleId: 'debug-other' }),
      [`manifest.json is of the bundle debug-other, the folder of ${TOP}`],
    ],
    [
      'with a manifest that is not complete',
      (bundle) => void Object.assign(bundle.manifest, { complete: false }),
      ['manifest.json is not what a bundle has there (complete: Invalid input: expected true)'],
    ],
    [
      'with a manifest of a version to come',
      (bundle) => void Object.assign(bundle.manifest, { schema: 'diagd.bundle/2' }),
      ['manifest.json has the schema diagd.bundle/2; this knows diagd.bundle/1'],
    ],
    [
      'with a row whose file is missing',
      (bundle) => {
        const row = {
          path: 'good/c.txt',
          outcome: 'ok',
          sizeBytes: 0,
          sha256: sha256(''),
          error: 'good/c.txt.error.txt',
        }
        Object.assign(bundle.manifest, { rows: [row] })
      },
      [
        'good/c.txt.error.txt is missing; it explains good/c.txt',
        'good/c.txt has a row in manifest.json and is missing from the archive',
      ],
    ],
    [
      'with a row whose part is missing',
      (bundle) => {
        const parts = [{ path: 'good/c.part-0002', sizeBytes: 0, sha256: sha256('') }]
        Object.assign(bundle.manifest, { rows: [{ path: 'good/c', outcome: 'ok', sizeBytes: 0, parts }] })
      },
      ['good/c.part-0002 is missing; it is a part of good/c'],
    ],
  ]
  test.each(cases)('%s is damaged', async (_, change, messages) => {
    const report = await verify(await handmade(change))
    expect(report.whole).toBe(false)
    expect(report.findings).toEqual(messages.map((message) => ({ kind: 'damaged', message })))
  })

  test('without manifest.json is cut, even where tar and gzip end as they should', async () => {
    const whole = await handmadeTar()
    const start = whole.indexOf(`${TOP}/manifest.json`)
    const report = await verify(gzipSync(Buffer.concat([whole.subarray(0, start), Buffer.alloc(1024)])))
    expect(report.findings).toEqual([{ kind: 'cut', message: 'manifest.json, the last entry, is missing' }])
    expect(report.lastWhole).toBe('SHA256SUMS')
  })

  test('with a link among the files is damaged', async () => {
    const bytes = Buffer.from(await handmadeTar())
    const header = bytes.indexOf(`${TOP}/good/b.txt`)
    bytes[header + 156] = '2'.charCodeAt(0)
    bytes.write('        ', header + 148, 'latin1')
    const sum = bytes.subarray(header, header + 512).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, header + 148, 'latin1')
    const report = await verify(gzipSync(bytes))
    expect(report.findings.map(({ message }) => message)).toContain(`${TOP}/good/b.txt is a symlink, not a file`)
  })

  test('names a hundred things wrong, and counts the rest', async () => {
    const report = await verify(
      await handmade((bundle) => {
        for (let n = 0; n < 150; n++) bundle.manifest.files.push({ path: `x/${n}`, sizeBytes: 0, sha256: sha256('') })
      }),
    )
    expect(report.findings).toHaveLength(100)
    expect(report.moreFindings).toBe(50)
  })
})

test('a bundle larger than its pieces is whole', async () => {
  const noise = collector(function* ({ text }) {
    yield text('noise.txt', () => randomBytes(200_000).toString('base64'))
  })
  const { bytes } = await makeBundle({ noise })
  expect(bytes.length).toBeGreaterThan(2 * 65_536)
  expect(await verify(bytes)).toMatchObject({ whole: true, findings: [] })
})
