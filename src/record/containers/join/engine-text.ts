/** The log of a container as the engine has it, as the tail would store it: lines of CRI text, without those that are remembered. */
import { askForLog } from '../../../sources/engine-log.ts'
import { SourceError, type SourceEnd } from '../../../sources/source.ts'
import type { UnixHttpContext } from '../../../sources/unix-http.ts'
import { Intake } from '../frames/intake.ts'
import { FrameMemory } from '../frames/memory.ts'

export interface AskedLog {
  readonly socket: string
  readonly containerId: string
}

export interface EngineWish {
  /** As the Engine API has them; both inclusive. */
  readonly since?: string
  readonly until?: string
  /** Of the last so many frames those outside of the times are left out. */
  readonly tail?: string
}

export interface EngineEnd extends SourceEnd {
  /** Lines that may be stored, or new: they were taken for stored. */
  readonly ambiguous: number
}

/** Bundles have limits of their own. */
const NO_FLOOD = { bytesPerSecond: Infinity, burstBytes: Infinity }
const GATHERED_BYTES = 64 * 1024

/** Whole lines, in buffers that stay valid. What breaks off or is refused is an end, too. `memory` gets what comes. */
export async function* engineText(
  log: AskedLog,
  wish: EngineWish,
  ctx: UnixHttpContext,
  memory: FrameMemory = new FrameMemory(),
): AsyncGenerator<Buffer, EngineEnd, void> {
  const intake = new Intake(memory, NO_FLOOD)
  let ambiguous = 0
  const taken = (): Buffer => {
    const batch = intake.take()
    ambiguous += batch.ambiguous
    return Buffer.from(batch.text)
  }
  intake.begin()
  let broken: SourceError | undefined
  try {
    const { chunks } = await askForLog(log, ctx, wish)
    for await (const chunk of chunks) {
      push(intake, chunk)
      if (intake.waitingBytes >= GATHERED_BYTES) yield taken()
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    broken = error
  }
  intake.end(true)
  const rest = taken()
  if (rest.length > 0) yield rest
  if (broken) return { outcome: broken.outcome, detail: broken.message, ambiguous }
  if (intake.trouble) return { outcome: 'partial', detail: `the engine says: ${intake.trouble}`, ambiguous }
  return { outcome: 'ok', ambiguous }
}

function push(intake: Intake, chunk: Buffer): void {
  try {
    intake.push(chunk)
  } catch (error) {
    throw new SourceError('failed', (error as Error).message, { cause: error })
  }
}
