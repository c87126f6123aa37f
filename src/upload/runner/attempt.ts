/** One try: a bundle is made and handed to a child, which ends in one of three ways. */
import type { Sink } from '../../collect/types.ts'
import type { Sending, Sent, StartSending, UploadEngine, UploadFailure } from '../upload.ts'
import type { Courtesy } from './courtesy.ts'
import type { Prepared } from './prepare.ts'

export type Ended =
  | { readonly sent: Sent; readonly outcome: 'whole' | 'partial' }
  | { readonly failure: UploadFailure }
  /** diagd itself ended it. `clean`: nothing of it is left at the target. */
  | { readonly brokenOff: string; readonly clean: boolean }

export interface AttemptDeps {
  readonly engine: Pick<UploadEngine, 'collect'>
  readonly startSending: StartSending
  readonly courtesy: Courtesy
  /** Resolves when the id is durable. */
  readonly onMultipart: (multipartId: string) => Promise<void>
  readonly onBytes: (bytes: number) => void
}

/** What a child gets to clean up before nobody waits for it any more. */
const ABORT_MS = 2000

/** Never rejects. The signal's reason is an Error. */
export async function attempt(prepared: Prepared, deps: AttemptDeps, signal: AbortSignal): Promise<Ended> {
  let sending: Sending
  try {
    sending = await deps.startSending(prepared.job)
  } catch (error) {
    return failed('internal', `the child could not be started: ${(error as Error).message}`)
  }
  sending.onMultipart(deps.onMultipart)
  const aborted = onceAborted(signal)
  // At once: it need not wait for the bundle to come to its end.
  const broken = aborted.then(() => brokenOff(sending, signal.reason as Error))
  const sink = politeSink(sending, { ...deps, aborted, signal })
  let made
  try {
    const { request, bundleId } = prepared
    made = await deps.engine.collect({ request, bundleId, sink, signal })
  } catch (error) {
    if (signal.aborted) return broken
    // It refused the bytes, and knows why.
    if (sink.refused) return ofChild(await endOrAbort(sending, { broken, signal }), 'partial')
    const { message } = error as Error
    await within(sending.abort(message), ABORT_MS)
    return failed('bundle-failed', message)
  }
  return ofChild(await endOrAbort(sending, { broken, signal, outcome: made.outcome }), made.outcome)
}

type OfChild = Awaited<ReturnType<Sending['end']>>

type Broken = Extract<Ended, { brokenOff: string }>

function ofChild(ended: OfChild | Broken, outcome: 'whole' | 'partial'): Ended {
  return 'sent' in ended ? { ...ended, outcome } : ended
}

interface Ending {
  readonly broken: Promise<Broken>
  readonly signal: AbortSignal
  /** undefined: it refused before the bundle was done. */
  readonly outcome?: 'whole' | 'partial'
}

/** What arrived at the last moment has arrived; all else that an aborted child says is that it was aborted. */
async function endOrAbort(sending: Sending, { broken, signal, outcome }: Ending): Promise<OfChild | Broken> {
  const end = sending.end(outcome)
  const first = await Promise.race([end, broken])
  if (!signal.aborted || 'sent' in first) return first
  const [how, last] = await Promise.all([broken, Promise.race([end, broken])])
  return 'sent' in last ? last : how
}

async function brokenOff(sending: Sending, { message }: Error): Promise<Broken> {
  return { brokenOff: message, clean: await within(sending.abort(message), ABORT_MS) }
}

interface PoliteOptions extends AttemptDeps {
  readonly aborted: Promise<void>
  readonly signal: AbortSignal
}

/** Takes no byte while a person downloads. */
function politeSink(
  sending: Sending,
  { courtesy, aborted, signal, onBytes }: PoliteOptions,
): Sink & { readonly refused: boolean } {
  let refused = false
  return {
    get refused() {
      return refused
    },
    async write(chunk) {
      if (courtesy.holds) await courtesy.wait(aborted)
      signal.throwIfAborted()
      try {
        await unlessAborted(sending.sink.write(chunk), signal)
      } catch (error) {
        refused = true
        throw error
      }
      onBytes(chunk.length)
    },
  }
}

function onceAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Leaves nothing at the signal: there are many writes. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function failed(kind: UploadFailure['kind'], message: string): { failure: UploadFailure } {
  return { failure: { kind, message, permanent: false } }
}

/** Whether it was done in time, and well. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), milliseconds)
  const isDone = await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    late.promise,
  ])
  clearTimeout(timer)
  return isDone
}
