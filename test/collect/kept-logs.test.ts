/** Stored logs of containers in whole bundles: what goes in as it is, and what does not. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { verifyBundle } from '../../src/archive/verify.ts'
import type { ContainersRecorded } from '../../src/collect/recorded-containers.ts'
import type { ManifestRow } from '../../src/collect/types.ts'
import { listLogFiles, scanLogFile } from '../../src/record/containers/keep/log-files.ts'
import { BEGIN_MS } from '../helpers/fake-engine.ts'
import { collector, makeBundle, testRedaction, type BundleOptions, type TestBundle } from '../helpers/make-bundle.ts'
import {
  engineWith,
  keepFacts,
  numbered,
  recordedIn,
  storedLog,
  textsOf,
  type StoredTest,
} from '../record/containers/join/kit.ts'

const LOG = 'containers/log.log'
const COUNT = 20_000
const SECRET = 'Tr0ub4dor-and-3'

const containers = collector(
  async function* ({ containers: kept }) {
    const [container] = await kept.kept()
    yield kept.log(container!).as('log.log')
  },
  { tier: 'logs' },
)

/** A removed container that said a secret once, when nobody knew that it was one. */
async function keptLog(): Promise<StoredTest> {
  const stored = await storedLog()
  const lines = numbered(0, COUNT)
  lines[7000] = { ...lines[7000]!, text: `line 7000 ${SECRET}` }
  stored.storeSealed(lines.slice(0, -10), 5000)
  stored.store(lines.slice(-10))
  keepFacts(stored, { state: 'removed', logComplete: true })
  return stored
}

interface Options extends BundleOptions {
  readonly kept?: Partial<ContainersRecorded>
  /** Values that are known to be secret today. */
  readonly live?: readonly string[]
}

async function bundleOf(stored: StoredTest, { kept, live = [], ...options }: Options = {}): Promise<TestBundle> {
  const deps = {
    kept: recordedIn(stored.stateDir, kept),
    redaction: { ...testRedaction(), values: () => Promise.resolve(live) },
  }
  // A window that has all of it.
  const request = { sinceMs: BEGIN_MS - 1000, untilMs: BEGIN_MS + 1e9, ...options.request }
  return makeBundle({ containers }, { ...options, request, deps })
}

const splicedSegments = ({ segments = [] }: ManifestRow): number => segments.length

async function expectWhole({ bytes }: TestBundle): Promise<void> {
  expect((await verifyBundle(Readable.from([bytes]))).findings).toEqual([])
}

describe('stored segments', () => {
  test('go into a tar.gz as they are; the manifest has their digests, and the bundle is whole', async () => {
    const stored = await keptLog()
    const bundle = await bundleOf(stored)
    const row = bundle.row(LOG)
    expect(row).toMatchObject({ outcome: 'ok', crc32: expect.stringMatching(/^[0-9a-f]{8}$/) as string })
    expect(splicedSegments(row)).toBe(5)
    expect(row.sha256).toBeUndefined()
    expect(bundle.text('SHA256SUMS')).not.toContain(LOG)
    const [file] = listLogFiles(stored.folder)
    const { segments } = scanLogFile(file!.path)
    expect(row.segments!.slice(0, 4).map(({ sha256 }) => sha256)).toEqual(segments.map(({ facts }) => facts.sha256))
    const lines = bundle.text(LOG).split('\n')
    expect(lines).toHaveLength(COUNT + 1)
    expect(row.sizeBytes).toBe(bundle.files.get(LOG)!.length)
    await expectWhole(bundle)
  })

  test('stand in order between what the engine has that is older and what it has that is newer', async () => {
    const stored = await storedLog()
    const all = numbered(0, 9000)
    stored.storeSealed(all.slice(1000, 8000), 3500)
    keepFacts(stored)
    const engine = await engineWith(all)
    const beside = collector(async function* ({ containers: kept }) {
      yield kept.log((await kept.kept())[0]!, engine).as('log.log')
    })
    const request = { sinceMs: BEGIN_MS - 1000, untilMs: BEGIN_MS + 1e9 }
    const bundle = await makeBundle({ containers: beside }, { request, deps: { kept: recordedIn(stored.stateDir) } })
    const words = bundle.text(LOG).split('\n').slice(0, -1)
    expect(words.map((line) => line.slice('2026-06-15T12:00:00.000000000Z stdout F '.length))).toEqual(textsOf(all))
    expect(splicedSegments(bundle.row(LOG))).toBe(4)
    await expectWhole(bundle)
  })

  test('that were masked when a secret was not known yet are masked again', async () => {
    const stored = await keptLog()
    const maskedWith = async () => ({ rules: 'r1', values: Infinity })
    const bundle = await bundleOf(stored, { live: [SECRET], kept: { maskedWith } })
    expect(splicedSegments(bundle.row(LOG))).toBe(0)
    expect(bundle.text(LOG)).not.toContain(SECRET)
    expect(bundle.text(LOG)).toMatch(/line 7000 <masked:/)
    expect(bundle.text(LOG).split('\n')).toHaveLength(COUNT + 1)
    expect(bundle.row(LOG).maskedCount).toBe(1)
    await expectWhole(bundle)
  })

  test.each([
    ['other rules', { kept: { maskedWith: async () => ({ rules: 'r2', values: 0 }) } }],
    ['rules that are not known', { kept: { maskedWith: async () => ({ rules: undefined, values: 0 }) } }],
    ['pseudonyms', { request: { pseudonymize: true } }],
    ['tar.zst', { parameters: { format: 'tar.zst' } }],
    ['tar', { parameters: { format: 'tar' } }],
  ] as [string, Options][])('are inflated and masked for %s', async (_, options) => {
    const bundle = await bundleOf(await keptLog(), options)
    expect(splicedSegments(bundle.row(LOG))).toBe(0)
    expect(bundle.row(LOG).sha256).toBeDefined()
    expect(bundle.text(LOG).split('\n')).toHaveLength(COUNT + 1)
    await expectWhole(bundle)
  })

  test('stay masked in a bundle that is not, and its row says so', async () => {
    const bundle = await bundleOf(await keptLog(), { request: { unmasked: true } })
    expect(splicedSegments(bundle.row(LOG))).toBe(5)
    expect(bundle.row(LOG).origin).toContain('masked when it was stored')
    await expectWhole(bundle)
  })

  test('are not handed over when the mask is not to be trusted', async () => {
    const stored = await keptLog()
    const unreadable = { ...testRedaction(), values: () => Promise.reject(new Error('a file of secrets is gone')) }
    const deps = { kept: recordedIn(stored.stateDir), redaction: unreadable }
    const bundle = await makeBundle({ containers }, { request: { sinceMs: BEGIN_MS, untilMs: BEGIN_MS + 1e9 }, deps })
    expect(bundle.row(LOG)).toMatchObject({ outcome: 'withheld', sizeBytes: 0 })
    expect(bundle.files.has(LOG)).toBe(false)
  })

  test('count against the limits by what they are inflated', async () => {
    const bundle = await bundleOf(await keptLog(), { parameters: { limits: 'entry=500000' } })
    const row = bundle.row(LOG)
    expect(row).toMatchObject({
      outcome: 'partial',
      detail: expect.stringContaining('over the limit of 500000') as string,
    })
    expect(row.sizeBytes).toBeLessThanOrEqual(500_000)
    expect(bundle.text(LOG)).toContain('bytes left out here (over the limit of 500000 bytes per entry) …\n')
    const collectorLimit = await bundleOf(await keptLog(), { parameters: { limits: 'collector=300000' } })
    expect(collectorLimit.row(LOG).sizeBytes).toBeLessThanOrEqual(300_000)
    await expectWhole(bundle)
  })

  test('a damaged one costs its lines, and not what stands behind it in the archive', async () => {
    const stored = await keptLog()
    const [file] = listLogFiles(stored.folder)
    const [, second] = scanLogFile(file!.path).segments
    const bytes = readFileSync(file!.path)
    bytes.fill(0xff, second!.at + second!.deflateAt + 100, second!.at + second!.deflateAt + 120)
    writeFileSync(file!.path, bytes)
    const bundle = await bundleOf(stored)
    expect(bundle.row(LOG)).toMatchObject({ outcome: 'partial', error: `${LOG}.error.txt` })
    expect(bundle.text(LOG)).toContain('… diagd: 5000 lines cannot be read (segment 1 is damaged) …\n')
    await expectWhole(bundle)
  })

  test('lie beside nothing in the window: skipped, and quiet', async () => {
    const bundle = await bundleOf(await keptLog(), { request: { sinceMs: BEGIN_MS + 1e8, untilMs: BEGIN_MS + 1e9 } })
    expect(bundle.row(LOG)).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('outside') as string })
    expect(bundle.files.has(`${LOG}.error.txt`)).toBe(false)
  })
})
