/** `diagd collect`: a bundle with the caller's rights, no daemon needed. */
import { fileType } from '../archive/codec.ts'
import { collectBundle } from '../collect/bundle.ts'
import { bundleId } from '../collect/bundle-id.ts'
import { parseBundleRequest } from '../collect/request.ts'
import type { BundleResult } from '../collect/types.ts'
import { prepare } from './engine.ts'
import { EXIT, say, sayProblems } from './io.ts'
import type { Io } from './io.ts'
import { openOutput } from './output.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'
import { recipientsIn } from './recipients-file.ts'
import { catchSignals } from './signals.ts'
import { summarize } from './summary.ts'

/** An engine that does not let go within this time is left behind; the half file is removed all the same. */
const LETTING_GO_MS = 10_000

export type CollectOptions = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

const UNMASKED =
  'diagd: UNMASKED: passwords, keys and tokens of this machine are in this bundle as they are. Keep it as you would keep them, and hand it to nobody'

export async function collect(options: CollectOptions, io: Io): Promise<number> {
  const { output: file, recipientsFile, unmasked = false, ...rest } = options
  const parameters = rest as Record<string, string | readonly string[]>
  if (recipientsFile !== undefined)
    parameters.recipient = [parameters.recipient ?? [], await recipientsIn(recipientsFile as string)].flat()
  const { config, deps, problems } = await prepare(io)
  const nowMs = Date.now()
  const { limits: defaults, recipients } = config
  const facts = { nowMs, collectorIds: deps.collectors.map(({ id }) => id), defaults, recipients }
  const request = { ...parseBundleRequest(parameters, facts), unmasked: unmasked === true }
  const id = bundleId(deps, nowMs, request)
  const { extension } = fileType(request.format, request.recipients.length > 0)
  const output = await openOutput(file as string | undefined, `${id}.${extension}`, io)
  sayProblems(io, problems)
  if (unmasked) say(io, UNMASKED)

  const interrupt = catchSignals()
  const progress = await createProgress(io, output.name)
  try {
    const { signal } = interrupt
    const collecting = collectBundle(request, deps, output.sink, {
      signal,
      bundleId: id,
      onProgress: progress.onProgress,
    })
    const result = await letGo(collecting, signal)
    await output.finish()
    progress.stop()
    return report(result, output, io)
  } catch (error) {
    progress.stop()
    await output.discard()
    return broken(error as NodeJS.ErrnoException, interrupt.exitCode(), io)
  } finally {
    interrupt.release()
  }
}

/** The result, or the error some time after the signal at the latest. */
async function letGo(collecting: Promise<BundleResult>, signal: AbortSignal): Promise<BundleResult> {
  const late = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    timer = setTimeout(() => late.reject(signal.reason as Error), LETTING_GO_MS)
  }
  signal.addEventListener('abort', wait, { once: true })
  try {
    return await Promise.race([collecting, late.promise])
  } finally {
    signal.removeEventListener('abort', wait)
    clearTimeout(timer)
  }
}

function report(result: BundleResult, output: Output, io: Io): number {
  for (const line of summarize(result, output.name)) say(io, line)
  return result.outcome === 'whole' ? EXIT.whole : EXIT.partial
}

function broken(error: NodeJS.ErrnoException, signalCode: number | undefined, io: Io): number {
  if (signalCode !== undefined) {
    say(io, 'diagd: stopped; nothing is left of the bundle')
    return signalCode
  }
  // Whoever read our stdout has had enough, and knows.
  if (error.code !== 'EPIPE') say(io, `diagd: no bundle: ${error.message}`)
  return EXIT.failed
}
