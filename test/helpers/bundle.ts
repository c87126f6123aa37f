/** Bundles for tests: real ones of collectors made up, and hand-made ones to be damaged. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { collectBundle } from '../../src/collect/bundle.ts'
import type { BundleDeps } from '../../src/collect/deps.ts'
import { NOTHING_KEPT } from '../../src/collect/recorded-containers.ts'
import { parseBundleRequest } from '../../src/collect/request.ts'
import type { Parameters } from '../../src/collect/request.ts'
import { DEFAULT_LIMITS } from '../../src/config/limits.ts'
import type { Collector } from '../../src/collector.ts'
import { memorySink } from './archive.ts'
import { testRedaction } from './make-bundle.ts'

/** What an engine needs to run these collectors and no others. */
function depsOf(collectors: Record<string, Collector>): BundleDeps {
  return {
    collectors: Object.entries(collectors).map(([id, collector]) => ({ id, collector })),
    dropInProblems: [],
    host: { node: 'test', hostname: 'test', bootId: 'boot', uid: 0, timeZone: 'UTC', systemd: false },
    engines: [],
    root: '',
    path: process.env.PATH ?? '',
    self: () => ({
      version: '0',
      nodeVersion: process.version,
      startedAtMs: 0,
      pid: process.pid,
      config: {},
      health: {},
      log: () => '',
      watchedUnits: [],
    }),
    redaction: testRedaction(),
    kept: NOTHING_KEPT,
  }
}

/** One entry of each kind that a manifest knows, a few of them large. */
const COLLECTORS: Record<string, Collector> = {
  good: {
    title: 'Everything fine',
    tier: 'facts',
    *collect({ text, json }) {
      yield text('a.txt', () => 'a\n')
      yield json('b.json', () => ({ b: 1 }))
      yield text('large.log', () => 'a line that is there again and again\n'.repeat(100_000))
    },
  },
  bad: {
    title: 'Everything wrong',
    tier: 'state',
    *collect({ skipped, withheld, command, text }) {
      yield skipped('gone.txt', 'it is not there')
      yield withheld('secret.txt', 'it is a secret')
      yield command`false`
      yield text('broken.txt', () => {
        throw new Error('broken')
      })
    },
  },
}

export async function realBundle(parameters: Parameters = {}, collectors = COLLECTORS): Promise<Buffer> {
  const deps = depsOf(collectors)
  const facts = { nowMs: Date.now(), collectorIds: Object.keys(collectors), defaults: DEFAULT_LIMITS }
  const sink = memorySink()
  await collectBundle(parseBundleRequest(parameters, facts), deps, sink, { signal: new AbortController().signal })
  return sink.bytes()
}

export const TOP = 'debug-test-20260615T120000Z-abcdef'

export interface Handmade {
  files: { path: string; content: string }[]
  manifest: { [key: string]: unknown; files: { path: string; sizeBytes: number; sha256: string }[] }
}

/** The files of a small whole bundle, changed as the test wants, as tar. */
export async function handmadeTar(change: (bundle: Handmade) => void = () => {}): Promise<Buffer> {
  const identity = { schema: 'diagd.bundle/1', bundleId: TOP }
  const contents = [
    { path: 'index.json', content: JSON.stringify(identity) },
    { path: 'summary.txt', content: 'all is well\n' },
    { path: 'good/a.txt', content: 'a\n' },
    { path: 'good/b.txt', content: 'b\n' },
  ]
  const sums = contents.map(({ path, content }) => `${sha256(content)}  ${path}\n`).join('')
  contents.push({ path: 'SHA256SUMS', content: sums })
  const files = contents.map(({ path, content }) => ({ path, sizeBytes: content.length, sha256: sha256(content) }))
  const bundle: Handmade = {
    files: contents,
    manifest: { ...identity, complete: true, outcome: 'whole', startedAt: '', finishedAt: '', rows: [], files },
  }
  change(bundle)
  const pack = tar.pack()
  for (const { path, content } of bundle.files)
    pack.entry({ name: path.startsWith('/') ? path.slice(1) : `${TOP}/${path}` }, content)
  pack.entry({ name: `${TOP}/manifest.json` }, JSON.stringify(bundle.manifest))
  pack.finalize()
  return Buffer.concat(await Array.fromAsync(pack as AsyncIterable<Buffer>))
}

export async function handmade(change?: (bundle: Handmade) => void): Promise<Buffer> {
  return gzipSync(await handmadeTar(change))
}

export function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}
