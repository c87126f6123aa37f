/** One bundle, from its first entry to its last. */
import { codecFor } from '../archive/codec.ts'
import { encryptedSink } from '../archive/encrypt.ts'
import type { EncryptedSink } from '../archive/encrypt.ts'
import { ArchiveWriter } from '../archive/writer.ts'
import { Budget } from './budget.ts'
import { bundleId } from './bundle-id.ts'
import type { BundleDeps } from './deps.ts'
import { indexJson } from './index-json.ts'
import { manifestJson, sha256Sums } from './manifest.ts'
import { Pressure } from './pressure.ts'
import type { RegisteredCollector } from './types.ts'
import type { BundleRun } from './run.ts'
import { establishTrust, openRedaction } from './trust.ts'
import { Slots } from './slots.ts'
import { sourceContext } from './source-context.ts'
import { summaryText } from './summary.ts'
import { runTiers } from './tiers.ts'
import { Trace } from './trace.ts'
import type { BundleRequest, BundleResult, ProgressEvent, Sink } from './types.ts'
import { planOf } from './plan.ts'

export interface BundleOptions {
  readonly signal: AbortSignal
  /** The name of the bundle; one is made up without it. */
  readonly bundleId?: string
  readonly onProgress?: (event: ProgressEvent) => void
  /** Silence after which idle bytes go out; 10 s without it. */
  readonly idleMs?: number
}

/**
 * Streams a bundle into the sink. Rejects when the sink or the engine fails, or the signal aborts; by then every child
 * process, descriptor and timer of the bundle is gone. Trouble with a source is an outcome, never a rejection.
 */
export async function collectBundle(
  request: BundleRequest,
  deps: BundleDeps,
  sink: Sink,
  options: BundleOptions,
): Promise<BundleResult> {
  const startedAtMs = Date.now()
  const began = performance.now()
  const id = options.bundleId ?? bundleId(deps, startedAtMs, request)
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, options.signal])
  const encryption = encryptionOf(request, sink)
  const archive = new ArchiveWriter(
    encryption ?? sink,
    codecFor(request.format, request.compression),
    id,
    options.idleMs,
  )
  const run: BundleRun = {
    request,
    deps,
    archive,
    source: sourceContext(request, deps, signal),
    redaction: openRedaction(request, deps),
    budget: new Budget(request.limits),
    slots: new Slots(new Pressure(deps.root)),
    trace: new Trace(),
    rows: [],
    startedAtMs,
    onProgress: options.onProgress ?? (() => {}),
    abort: (reason) => abort.abort(reason),
  }
  try {
    await write(id, run)
    await encryption?.end()
  } finally {
    // Whoever still waits for anything of this bundle stops waiting.
    abort.abort(new Error('the bundle has ended'))
    archive.destroy()
    run.redaction.close()
    await encryption?.destroy()
  }
  return {
    bundleId: id,
    outcome: outcomeOf(run),
    rows: run.rows,
    bytesIn: archive.bytesIn,
    bytesOut: encryption?.bytesOut() ?? archive.bytesOut,
    durationMs: Math.round(performance.now() - began),
  }
}

/** @throws Error when it is not known whom the bundle is for. */
function encryptionOf({ recipients }: BundleRequest, sink: Sink): EncryptedSink | undefined {
  if (recipients === 'unknown')
    throw new Error('the configuration speaks of recipients that cannot be understood; diagd check tells what is wrong')
  return recipients.length > 0 ? encryptedSink(sink, recipients) : undefined
}

async function write(id: string, run: BundleRun): Promise<void> {
  const { archive, request, deps } = run
  const mtimeMs = run.startedAtMs
  const collectors = selected(deps.collectors, request)
  const plan = planOf(collectors, run.source)
  run.onProgress({
    type: 'plan',
    collectors: plan.map(({ id, tier, missing }) => ({ id, tier, ...(missing ? { missing } : {}) })),
  })
  const add = async (path: string, text: string) => archive.add({ path, mtimeMs }, await run.redaction.text(text))
  await add('index.json', indexJson(id, run, plan))
  await archive.flush()
  const [summary, trust] = await Promise.all([summaryText(run, plan), establishTrust(run)])
  await add('summary.txt', summary)
  await archive.flush()
  await runTiers(collectors, run)
  await add('trace.json', json(run.trace))
  await archive.add({ path: 'SHA256SUMS', mtimeMs }, sha256Sums(archive.files))
  // Its texts were masked one by one; its counts stand under the names of the rules, and are no secrets.
  await archive.add({ path: 'manifest.json', mtimeMs }, manifestJson(id, run, outcomeOf(run), trust))
  await archive.end()
}

/** What `--only` and `--skip` leave; on-demand collectors only by name. `extras` means all of them. */
function selected(collectors: readonly RegisteredCollector[], { only, skip }: BundleRequest): RegisteredCollector[] {
  const named = (list: readonly string[], id: string): boolean => list.includes(id) || list.includes(id.split('/')[0]!)
  return collectors.filter(({ id, collector }) => {
    if (named(skip, id)) return false
    return only ? named(only, id) : !collector.onDemand
  })
}

function outcomeOf(run: BundleRun): 'whole' | 'partial' {
  return run.rows.every(({ outcome }) => outcome === 'ok' || outcome === 'skipped') ? 'whole' : 'partial'
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
