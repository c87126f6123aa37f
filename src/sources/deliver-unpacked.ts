/** The contents of a compressed log: unpacked, cut to the window and to the limit while they pass. */
import type { Interval } from '../collector.ts'
import { unpacked } from './decompress.ts'
import { StreamLimit } from './limit-stream.ts'
import type { LineTime } from './log-times.ts'
import { overLimit } from './pieces.ts'
import { errorCode } from './refusal.ts'
import type { RegularFile } from './regular.ts'
import { SourceError, type Opened, type SourceEnd, type SourceLimits } from './source.ts'
import { StreamWindow } from './window-stream.ts'

interface Wanted {
  /** None: all of it. */
  readonly intervals: readonly Interval[]
  readonly lineTime: LineTime
  readonly limits: SourceLimits
}

/** How many entries' worth is unpacked at most: a bomb of zeros unpacks to a thousand times its size. */
const mostEntries = 64

/** The length is not known before the end. Counted and limited are the unpacked bytes. */
export async function* deliverUnpacked(file: RegularFile, codec: 'gzip' | 'zstd', wanted: Wanted): Opened['chunks'] {
  const { entryBytes } = wanted.limits
  const window = new StreamWindow(wanted.intervals, wanted.lineTime)
  const limit = new StreamLimit(entryBytes)
  let unpackedBytes = 0
  let damage: SourceEnd | undefined
  try {
    for await (const chunk of unpacked(file, codec)) {
      unpackedBytes += chunk.length
      for (const kept of window.push(chunk)) yield* limit.push(kept)
      if (unpackedBytes > mostEntries * entryBytes) {
        damage = { outcome: 'partial', detail: `stopped after ${unpackedBytes} unpacked bytes` }
        break
      }
    }
  } catch (error) {
    if (file.aborted) throw error
    damage = damageOf(error, codec, unpackedBytes)
  }
  for (const kept of window.end()) yield* limit.push(kept)
  yield* limit.end()
  return endOf(damage, limit, entryBytes)
}

function damageOf(error: unknown, codec: string, unpackedBytes: number): SourceEnd {
  const before = `the ${unpackedBytes} bytes before it are here`
  if (error instanceof SourceError) return { outcome: error.outcome, detail: `${error.message}; ${before}` }
  const code = errorCode(error)
  if (code === undefined) throw error
  const reason = error instanceof Error ? error.message : code
  const what = code.startsWith('Z') ? `damaged ${codec} data (${reason})` : `could not be read (${code})`
  return { outcome: 'partial', detail: `${what}: ${before}` }
}

function endOf(damage: SourceEnd | undefined, { cutBytes }: StreamLimit, entryBytes: number): SourceEnd {
  if (cutBytes === 0) return damage ?? { outcome: 'ok' }
  const cut = `${overLimit(entryBytes)}: ${cutBytes} bytes left out before the newest`
  const detail = damage ? `${damage.detail}; ${cut}` : cut
  return { outcome: damage?.outcome ?? 'partial', detail, cutBytes }
}
