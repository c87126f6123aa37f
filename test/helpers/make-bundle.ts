/** A whole bundle of collectors of the test's own, made by the real engine and read back by GNU tar. */
import { collectBundle } from '../../src/collect/bundle.ts'
import type { BundleDeps } from '../../src/collect/deps.ts'
import { hostFacts } from '../../src/collect/host.ts'
import { NOTHING_KEPT } from '../../src/collect/recorded-containers.ts'
import { parseBundleRequest, type Parameters } from '../../src/collect/request.ts'
import type { RedactionDeps } from '../../src/collect/redaction.ts'
import type { BundleRequest, BundleResult, Format, ManifestRow, Sink } from '../../src/collect/types.ts'
import type { Collector } from '../../src/collector.ts'
import { DEFAULT_LIMITS } from '../../src/config/limits.ts'
import { createSeenValues } from '../../src/redact/seen.ts'
import { createRedactionService } from '../../src/redact/service.ts'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import { extract, memorySink } from './archive.ts'

export interface TestBundle {
  readonly result: BundleResult
  readonly bytes: Buffer
  /** Path below the top folder → content. */
  readonly files: Map<string, Buffer>
  readonly manifest: { complete: boolean; outcome: string; rows: ManifestRow[]; files: { path: string }[] }
  /** The row of `collector/path`. */
  row(path: string): ManifestRow
  text(path: string): string
}

export interface BundleOptions {
  readonly parameters?: Parameters
  /** What no parameter can say. */
  readonly request?: Partial<BundleRequest>
  readonly deps?: Partial<BundleDeps>
  readonly signal?: AbortSignal
  /** Sees every chunk on its way. */
  readonly sink?: Sink
}

export async function makeBundle(
  collectors: Record<string, Collector>,
  options: BundleOptions = {},
): Promise<TestBundle> {
  const deps = testDeps(collectors, options.deps)
  const memory = memorySink()
  const request = { ...testRequest(deps, options.parameters), ...options.request }
  const sink: Sink = {
    write: async (chunk) => {
      await options.sink?.write(chunk)
      await memory.write(chunk)
    },
  }
  const signal = options.signal ?? new AbortController().signal
  return readBundle(memory, await collectBundle(request, deps, sink, { signal }), request.format)
}

/** A collector from the artifacts that `collect` yields. */
export function collector(collect: Collector['collect'], over: Partial<Collector> = {}): Collector {
  return { title: 'of a test', tier: 'state', collect, ...over }
}

/** Over this machine, with nothing but the given collectors. */
export function testDeps(collectors: Record<string, Collector>, over: Partial<BundleDeps> = {}): BundleDeps {
  const self = { version: '0', nodeVersion: process.version, startedAtMs: 0, pid: process.pid, config: {}, health: {} }
  return {
    collectors: Object.entries(collectors).map(([id, registered]) => ({ id, collector: registered })),
    dropInProblems: [],
    host: hostFacts('test-node'),
    engines: [],
    root: '',
    path: FIXED_PATH,
    self: () => ({ ...self, log: () => '', watchedUnits: [] }),
    redaction: testRedaction(),
    kept: NOTHING_KEPT,
    ...over,
  }
}

const service = createRedactionService()

/** The real mask, with a key of the test's own. */
export function testRedaction(settings: RedactionDeps['settings'] = {}): RedactionDeps {
  const nodeKey = { bytes: Buffer.alloc(32, 7), kept: 'node' } as const
  return { service, nodeKey, settings, values: () => Promise.resolve([]), seen: createSeenValues() }
}

function testRequest(deps: BundleDeps, parameters: Parameters = {}): BundleRequest {
  const collectorIds = deps.collectors.map(({ id }) => id)
  return parseBundleRequest(parameters, { nowMs: Date.now(), collectorIds, defaults: DEFAULT_LIMITS })
}

function readBundle(memory: { bytes(): Buffer }, result: BundleResult, format: Format): TestBundle {
  const bytes = memory.bytes()
  const extracted = extract(bytes, format)
  const files = new Map([...extracted].map(([path, content]) => [path.slice(path.indexOf('/') + 1), content]))
  const manifest = JSON.parse(files.get('manifest.json')!.toString()) as TestBundle['manifest']
  return {
    result,
    bytes,
    files,
    manifest,
    row: (path) => {
      const row = manifest.rows.find((candidate) => candidate.path === path)
      if (row) return row
      throw new Error(`no row ${path}; there are ${manifest.rows.map((one) => one.path).join(', ')}`)
    },
    text: (path) => {
      const content = files.get(path)
      if (content) return content.toString()
      throw new Error(`no file ${path}; there are ${[...files.keys()].join(', ')}`)
    },
  }
}
