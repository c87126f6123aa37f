/** The process of one upload: it holds the SDK and the parts, and all of that is gone with it. Started by `worker-process.ts`. */
import { setPriority } from 'node:os'
import { failed, Failed } from '../target/failed.ts'
import { createLine, type Line } from '../target/line.ts'
import type { Place } from '../target/place.ts'
import type { SendJob, Stale, UploadFailure } from '../upload.ts'
import { BUNDLE_FD, type Aborted, type FromWorker, type Result, type Start, type ToWorker } from './messages.ts'
import { createPace } from './pace.ts'
import { sendParts, type Feed } from './parts.ts'
import { openPipe } from './pipe.ts'

/** For whoever looks on. */
const PROGRESS_MS = 250

type End = Extract<ToWorker, { kind: 'end' }>

const started = Promise.withResolvers<Start>()
const ended = Promise.withResolvers<End>()
const broken = new AbortController()
const pipe = openPipe(BUNDLE_FD)
// Before it is asked for, nobody hears of it.
ended.promise.catch(() => {})
let kept: PromiseWithResolvers<void> | undefined
let sentBytes = 0
let toldBytes = 0

// Whoever fed it is gone, and with it what the bundle would have become.
process.on('disconnect', () => process.exit(1))
process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      return started.resolve(message.start)
    case 'kept':
      if (message.error === undefined) return kept?.resolve()
      return kept?.reject(failed('internal', message.error))
    case 'end':
      return ended.resolve(message)
    case 'abort':
      return broken.abort(failed('bundle-failed', message.reason))
  }
})
broken.signal.addEventListener('abort', () => {
  pipe.destroy()
  for (const awaited of [ended, kept]) awaited?.reject(broken.signal.reason)
})
yieldToOthers()
tell({ kind: 'result', result: await resultOf(await started.promise) }, () => process.exit(0))

/** A machine in trouble has better things to do. */
function yieldToOthers(): void {
  try {
    setPriority(19)
  } catch {
    // A filter of system calls may forbid it.
  }
}

function tell(message: FromWorker, then: () => void = () => {}): void {
  process.send?.(message, then)
}

async function resultOf({ task, job, stales, limits, credentials }: Start): Promise<Result> {
  const onBytes = (bytes: number) => void (sentBytes += bytes)
  const line = createLine({ limits, pace: createPace(job.bandwidthBytesPerSecond), broken: broken.signal, onBytes })
  const progress = setInterval(tellProgress, PROGRESS_MS)
  try {
    const place = await openPlace(job, line, task === 'send', credentials)
    if (task === 'abort') return { aborted: await withoutAll(place, stales) }
    const notes = await withoutStale(place, job)
    const sent = await sendParts(place, createFeed(), broken)
    return { sent: { ...sent, notes: [...notes, ...(sent.notes ?? [])] } }
  } catch (error) {
    return { failure: failureOf(error) }
  } finally {
    clearInterval(progress)
    tellProgress()
  }
}

function failureOf(error: unknown): UploadFailure {
  return (error instanceof Failed ? error : failed('internal', `the upload failed: ${String(error)}`)).failure
}

function tellProgress(): void {
  if (toldBytes === sentBytes) return
  toldBytes = sentBytes
  tell({ kind: 'progress', sentBytes })
}

/** Loaded when it is known which: each has its own needs. */
async function openPlace(
  job: SendJob,
  line: Line,
  isStart: boolean,
  credentials: Start['credentials'],
): Promise<Place> {
  const { target } = job
  // On its way through JSON it has become a text.
  if (target.kind === 's3') {
    const endpoint = target.endpoint === undefined ? undefined : new URL(target.endpoint)
    const { openS3 } = await import('../target/s3.ts')
    return openS3({ ...job, target: { ...target, endpoint } }, line, credentials)
  }
  const { openControlPlane } = await import('../target/control-plane.ts')
  return openControlPlane({ ...job, target: { ...target, url: new URL(target.url) } }, line, isStart)
}

/** What an earlier try left. Where that is forbidden it must not keep the bundle from being sent. */
async function withoutStale(place: Place, { stale }: SendJob): Promise<readonly string[]> {
  if (stale === undefined) return []
  try {
    await place.abort(stale.multipartId, stale.key)
    return []
  } catch (error) {
    if (!(error instanceof Failed) || error.failure.kind !== 'forbidden') throw error
    return [`what an earlier try left at ${stale.key} could not be removed: ${error.message}`]
  }
}

/** One after the other. Where nobody answers, the rest have not to wait for that again. */
async function withoutAll(place: Place, stales: readonly Stale[]): Promise<Aborted> {
  const done: (UploadFailure | null)[] = []
  for (const { multipartId, key } of stales) {
    const failure = await place.abort(multipartId, key).then(() => null, failureOf)
    done.push(failure)
    if (failure !== null && !failure.permanent)
      return stales.map((_, index) => (index < done.length ? done[index]! : failure))
  }
  return done
}

function createFeed(): Feed {
  return {
    input: pipe.chunks,
    async end() {
      const { sizeBytes, outcome } = await ended.promise
      return { sizeBytes, metadata: outcome === undefined ? {} : { outcome } }
    },
    keep(id) {
      kept = Promise.withResolvers()
      tell({ kind: 'multipart', id })
      return kept.promise
    },
  }
}
