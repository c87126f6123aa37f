/** One try of one upload, in a process of its own. */
import type { UploadTarget } from '../../config/upload-target.ts'
import type { Credentials } from '../target/credentials.ts'
import { failed, Failed } from '../target/failed.ts'
import type { Limits } from '../target/line.ts'
import { PART_BYTES } from '../target/part-sizes.ts'
import type { Sending, SendJob, Stale, UploadFailure } from '../upload.ts'
import type { FromWorker, Start } from './messages.ts'
import { startWorker } from './worker-process.ts'

export interface SendOptions {
  /** Where AWS_ACCESS_KEY_ID and its like are, for `credentials: environment`. Nothing else is taken from it. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly limits?: Partial<Limits>
  /** Where the metadata service of the instance answers, if not at 169.254.169.254. */
  readonly metadataEndpoint?: string
}

const LIMITS: Limits = {
  stallMs: 60_000,
  connectMs: 10_000,
  // 0.5, 1, 2, 4 s: what takes longer is for the outbox.
  tries: 5,
  firstPauseMs: 500,
  partBytes: PART_BYTES,
}

/** Of the process, too: for tests and for measuring. */
export interface StartedSending extends Sending {
  readonly pid: number | undefined
}

/** Starts at once; what fails comes from `sink.write` and `end`. */
export function startSending(job: SendJob, options: SendOptions = {}): StartedSending {
  let keep: (multipartId: string) => Promise<void> = () => Promise.resolve()
  let sentBytes = 0
  let writtenBytes = 0
  const worker = startWorker(startOf({ task: 'send', job, stales: [] }, options), environmentOf(options), {
    onMessage(message: FromWorker) {
      if (message.kind === 'progress') ({ sentBytes } = message)
      if (message.kind === 'multipart')
        keep(message.id).then(
          () => worker.tell({ kind: 'kept' }),
          (error: Error) => worker.tell({ kind: 'kept', error: `its id could not be kept: ${error.message}` }),
        )
    },
  })
  // Whatever it says, and be it that it is done before all was written, ends the writing.
  const refused = worker.result.then((result) => {
    throw result instanceof Failed ? result : failed('internal', 'the upload is over')
  })
  let isRefused = false
  /** Of the write that is under way: to race each against `refused` would leave something there for all of them. */
  let giveUp = () => {}
  refused.catch(() => {
    isRefused = true
    giveUp()
  })
  return {
    pid: worker.pid,
    get sentBytes() {
      return sentBytes
    },
    sink: {
      async write(chunk) {
        writtenBytes += chunk.length
        if (isRefused) await refused
        const isWritten = await new Promise<boolean>((resolve) => {
          giveUp = () => resolve(false)
          worker.pipe.write(chunk, (error) => resolve(!error))
        })
        // A broken pipe is news of what it will say, or of its end.
        if (!isWritten) await refused
      },
    },
    async end(outcome) {
      worker.pipe.end()
      worker.tell({ kind: 'end', sizeBytes: writtenBytes, outcome })
      const result = await worker.result
      await worker.end()
      if (result instanceof Failed) return { failure: result.failure }
      return 'sent' in result ? result : { failure: failed('internal', 'the upload was aborted').failure }
    },
    async abort(reason) {
      worker.tell({ kind: 'abort', reason })
      worker.pipe.destroy()
      await worker.end()
    },
    onMultipart(tell) {
      keep = tell
    },
  }
}

/** Removes what uploads in parts left, and does nothing else; ends at once at the signal. @returns for each why it could not. */
export async function abortStale(
  target: UploadTarget,
  stales: readonly Stale[],
  signal: AbortSignal,
  options: SendOptions = {},
): Promise<readonly (UploadFailure | undefined)[]> {
  const job = { target, key: '', contentType: '', metadata: {}, tags: {}, mostBytes: undefined }
  const worker = startWorker(startOf({ task: 'abort', job, stales }, options), environmentOf(options), {
    onMessage() {},
  })
  signal.addEventListener('abort', worker.kill, { once: true })
  if (signal.aborted) worker.kill()
  const result = await worker.result
  await worker.end()
  signal.removeEventListener('abort', worker.kill)
  const aborted = 'aborted' in result ? result.aborted : undefined
  const { failure } = result instanceof Failed ? result : failed('internal', 'it was not said what became of it')
  return stales.map((_, index) => (aborted ? (aborted[index] ?? undefined) : failure))
}

function startOf(wish: Pick<Start, 'task' | 'job' | 'stales'>, { environment = {}, limits }: SendOptions): Start {
  const { target } = wish.job
  const wanted = target.kind === 's3' && target.credentials.from === 'environment'
  return { ...wish, limits: { ...LIMITS, ...limits }, credentials: wanted ? credentialsOf(environment) : undefined }
}

/** They go through the channel: what is in the environment of a process, others of the same user may read. */
function credentialsOf(environment: NonNullable<SendOptions['environment']>): Partial<Credentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment
  return {
    ...(AWS_ACCESS_KEY_ID === undefined ? {} : { accessKeyId: AWS_ACCESS_KEY_ID }),
    ...(AWS_SECRET_ACCESS_KEY === undefined ? {} : { secretAccessKey: AWS_SECRET_ACCESS_KEY }),
    ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
  }
}

function environmentOf({ metadataEndpoint }: SendOptions): Record<string, string> {
  return metadataEndpoint === undefined ? {} : { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataEndpoint }
}
