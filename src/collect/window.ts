/**
 * The one window: the span asked for, and always the first 15 minutes of this boot and the last 15 of the previous one,
 * because that is where a machine that came up wrong, or went down, says so.
 */
import type { Interval } from '../collector.ts'
import { runCommand } from '../sources/command.ts'
import type { SourceContext, SourceLimits } from '../sources/source.ts'
import { bootTimeMs } from './host.ts'
import type { BundleRequest } from './types.ts'

export const ALWAYS_MS = 15 * 60_000

/** The end of the previous boot is asked of the journal for at most this long. */
const LIST_BOOTS_MS = 5000

/** The spans, merged and sorted; what they need to know is asked once, when the first source wants it. */
export function windowIntervals(
  request: Pick<BundleRequest, 'sinceMs' | 'untilMs'>,
  context: () => Omit<SourceContext, 'intervals'> & { limits: SourceLimits },
): () => Promise<readonly Interval[]> {
  let known: Promise<readonly Interval[]> | undefined
  return () => (known ??= findIntervals(request, context()))
}

/** Sorted, without overlaps, none reaching past `untilMs`. Exported for its test. */
export function mergeIntervals(intervals: readonly Interval[], untilMs: number): Interval[] {
  const merged: Interval[] = []
  for (const interval of [...intervals].sort((a, b) => a.sinceMs - b.sinceMs)) {
    const clipped = { ...interval, untilMs: Math.min(interval.untilMs, untilMs) }
    if (clipped.sinceMs > clipped.untilMs) continue
    const last = merged.at(-1)
    if (last && clipped.sinceMs <= last.untilMs) {
      merged[merged.length - 1] = {
        sinceMs: last.sinceMs,
        untilMs: Math.max(last.untilMs, clipped.untilMs),
        reason: `${last.reason}, ${clipped.reason}`,
      }
    } else merged.push(clipped)
  }
  return merged
}

async function findIntervals(
  { sinceMs, untilMs }: Pick<BundleRequest, 'sinceMs' | 'untilMs'>,
  ctx: Omit<SourceContext, 'intervals'> & { limits: SourceLimits },
): Promise<Interval[]> {
  const intervals: Interval[] = [{ sinceMs, untilMs, reason: 'window' }]
  const bootMs = bootTimeMs(ctx.root)
  if (bootMs !== undefined) {
    intervals.push({ sinceMs: bootMs, untilMs: bootMs + ALWAYS_MS, reason: 'start of this boot' })
    const endMs = (await previousBootEndMs(ctx)) ?? bootMs
    intervals.push({ sinceMs: endMs - ALWAYS_MS, untilMs: endMs, reason: 'end of the previous boot' })
  }
  return mergeIntervals(intervals, untilMs)
}

/** The time of the previous boot's last entry in the journal; undefined where there is none to be asked. */
async function previousBootEndMs(
  ctx: Omit<SourceContext, 'intervals'> & { limits: SourceLimits },
): Promise<number | undefined> {
  try {
    const argv = ['journalctl', '--list-boots', '--no-pager', '--quiet', '--utc']
    const { stdout } = await runCommand({ argv, timeoutMs: LIST_BOOTS_MS }, { ...ctx, intervals: async () => [] })
    return parseBootEndMs(stdout, -1)
  } catch {
    return undefined
  }
}

/** The last time on the line of a boot offset, as systemd 249 to 257 print it in UTC. Exported for its test. */
export function parseBootEndMs(listBoots: string, offset: number): number | undefined {
  const line = listBoots.split('\n').find((text) => text.trim().startsWith(`${offset} `))
  const times = [...(line ?? '').matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)]
  const last = times.at(-1)
  return last ? Date.parse(`${last[1]}T${last[2]}Z`) : undefined
}
