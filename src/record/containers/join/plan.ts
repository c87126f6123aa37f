/** What of a log fits into its entry, known before anything is inflated: the newest, and the first lines. */
import type { SourceLimits } from '../../../sources/source.ts'
import type { Measured } from './stored.ts'

export interface Plan {
  /** For what the engine has that is newer, that is in no segment, that is older. */
  readonly newBytes: number
  readonly textBytes: number
  readonly olderBytes: number
  /** Segments before `until` are left out, but for the first lines of the first one. */
  readonly hole?: {
    readonly until: number
    readonly headBytes: number
    readonly cutBytes: number
  }
}

/** For lines of ours. */
const NOTES_BYTES = 1024

export function planOf(
  { segments, textBytes }: Measured,
  newBytes: number,
  { entryBytes, headBytes }: Pick<SourceLimits, 'entryBytes' | 'headBytes'>,
): Plan {
  const all = Math.max(0, entryBytes - NOTES_BYTES)
  const ofNew = Math.min(newBytes, all)
  const ofText = Math.min(textBytes, all - ofNew)
  const stored = segments.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
  const left = all - ofNew - ofText
  const unlimited = {
    newBytes: newBytes < all ? Infinity : ofNew,
    textBytes: ofText < textBytes ? ofText : Infinity,
    olderBytes: left - stored,
  }
  if (stored <= left) return unlimited
  const head = Math.min(headBytes, Math.floor(left / 2))
  let kept = 0
  let until = (segments.at(-1)?.number ?? 0) + 1
  for (const { number, lengthBytes } of segments.toReversed()) {
    if (kept + lengthBytes > left - head) break
    kept += lengthBytes
    until = number
  }
  const cutBytes = stored - kept - head
  return { ...unlimited, olderBytes: 0, hole: { until, headBytes: head, cutBytes } }
}
