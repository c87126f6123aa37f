/** What a row means: which bundle is made, and what the child is told. */
import { fileType } from '../../archive/codec.ts'
import { parseBundleRequest } from '../../collect/request.ts'
import type { BundleRequest } from '../../collect/types.ts'
import { fillKey, metadataOf } from '../target/key.ts'
import type { SendJob, UploadEngine, UploadRecord, UploadsOptions } from '../upload.ts'

export type BundleFacts = Pick<UploadsOptions, 'config' | 'limits' | 'recipients'>

export interface Prepared {
  readonly request: BundleRequest
  readonly bundleId: string
  readonly job: SendJob
}

/** The time is short, and the tiers come in order: facts, state, then what fits in of the newest logs. */
const OF_SHUTDOWN = { limits: 'bundle=5MiB' }
/** Where the control plane has the last word. */
const KEY = '{node}/{date}/{name}'
/** What the archive and the encryption add at most: a hundredth, and what stands in front. */
const ADDED = { share: 0.01, bytes: 16 * 1024 * 1024 }

/** @throws UsageError when the parameters cannot be understood. */
export function prepare(
  record: UploadRecord,
  { config, limits, recipients }: BundleFacts,
  engine: UploadEngine,
  nowMs: number,
): Prepared {
  const request = requestOf(record, { config, limits, recipients }, { collectorIds: engine.collectorIds, nowMs })
  // The same from try to try: what arrived without a word is written over, and not there twice.
  const bundleId = record.bundleId ?? engine.bundleId(nowMs, request)
  const { contentType, extension } = fileType(request.format, request.recipients.length > 0)
  const { target } = config
  const node = nodeIn(bundleId)
  const facts = { node, name: `${bundleId}.${extension}`, timeMs: record.createdMs }
  const key = record.key ?? fillKey(target.kind === 's3' ? target.key : KEY, facts)
  const { bundleBytes } = request.limits
  const { multipartId } = record
  const job: SendJob = {
    target,
    key,
    contentType,
    metadata: metadataOf({ node, 'boot-id': record.bootId, trigger: record.trigger, 'bundle-id': bundleId }),
    tags: target.kind === 's3' ? target.tags : {},
    mostBytes: bundleBytes === Infinity ? undefined : Math.ceil(bundleBytes * (1 + ADDED.share)) + ADDED.bytes,
    stale: multipartId === undefined ? undefined : { key, multipartId },
    bandwidthBytesPerSecond: config.bandwidthBytesPerSecond,
    retention: config.retention && { node, maxBundles: config.retention.maxBundles },
  }
  return { request, bundleId, job }
}

/** Times are counted from what it is about; the end is now, for what came after belongs to it. */
function requestOf(
  { trigger, parameters, timeMs }: UploadRecord,
  { config, limits, recipients }: BundleFacts,
  { collectorIds, nowMs }: { collectorIds: readonly string[]; nowMs: number },
): BundleRequest {
  const all: Record<string, string> = {
    ...config.parameters,
    ...(trigger === 'shutdown' ? OF_SHUTDOWN : {}),
    ...parameters,
  }
  const facts = { nowMs: timeMs, collectorIds, defaults: limits, recipients }
  const request = parseBundleRequest(all, facts)
  const isOpen = all.until === undefined && all.around === undefined
  return isOpen ? { ...request, untilMs: Math.max(request.untilMs, nowMs) } : request
}

/** A bundle with pseudonyms does not name the node; neither does what is said of it. */
function nodeIn(bundleId: string): string {
  return bundleId.replace(/^debug-/, '').replace(/-\d{8}T\d{6}Z-[0-9a-f]{6}$/, '')
}
