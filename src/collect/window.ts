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
  const kernelMs = bootTimeMs(ctx.root)
  const listed = await listBoots(ctx)
  const journalMs = parseBootTimes(listed, 0)?.firstMs
  const bootMs = kernelMs ?? journalMs
  if (bootMs !== undefined) {
    // In a container the kernel's boot is the host's; the journal, where there is one, begins with the container's own.
    const starts = new Set([bootMs, Math.max(bootMs, journalMs ?? bootMs)])
    for (const startMs of starts) {
      intervals.push({ sinceMs: startMs, untilMs: startMs + ALWAYS_MS, reason: 'start of this boot' })
    }
    const endMs = parseBootTimes(listed, -1)?.lastMs ?? bootMs
    intervals.push({ sinceMs: endMs - ALWAYS_MS, untilMs: endMs, reason: 'end of the previous boot' })
  }
  return mergeIntervals(intervals, untilMs)
}

/** '' where there is no journal to be asked. */
async function listBoots(ctx: Omit<SourceContext, 'intervals'> & { limits: SourceLimits }): Promise<string> {
  try {
    const argv = ['journalctl', '--list-boots', '--no-pager', '--quiet', '--utc']
    return (await runCommand({ argv, timeoutMs: LIST_BOOTS_MS }, { ...ctx, intervals: async () => [] })).stdout
  } catch {
    return ''
  }
}

/** Times are listed without their fractions: the last entry came up to a second later. */
const SECOND_MS = 999

/** First and last time on the line of a boot offset, as systemd 249 to 257 print it in UTC. Exported for its test. */
export function parseBootTimes(listBoots: string, offset: number): { firstMs: number; lastMs: number } | undefined {
  const line = listBoots.split('\n').find((text) => text.trim().startsWith(`${offset} `))
  const times = [...(line ?? '').matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)]
  const [firstMs, lastMs] = times.map(([, day, time]) => Date.parse(`${day}T${time}Z`))
  return firstMs === undefined || lastMs === undefined ? undefined : { firstMs, lastMs: lastMs + SECOND_MS }
}
