/** The timeline of one boot by itself: the same as in a bundle, looked for and masked in the same way. */
import { askSystemd } from '../../collectors/lib/boot-timeline/ask.ts'
import { listedBoots, timelineOf } from '../../collectors/lib/boot-timeline/of-boot.ts'
import { timelineSvg } from '../../collectors/lib/boot-timeline/svg.ts'
import { timelineText } from '../../collectors/lib/boot-timeline/text.ts'
import type { Timeline } from '../../collectors/lib/boot-timeline/types.ts'
import type { Boot } from '../../collectors/lib/journal-boots.ts'
import type { EntryWriter } from '../archive/entry.ts'
import type { Kit } from '../collector.ts'
import type { BundleDeps } from './deps.ts'
import { createKit, maskedKit } from './kit.ts'
import { parseBundleRequest } from './request.ts'
import type { BundleRun } from './run.ts'
import { sourceContext } from './source-context.ts'
import { establishTrust, openRedaction } from './trust.ts'
import { DEFAULT_LIMITS } from '../config/limits.ts'

export const TIMELINE_FORMATS = ['json', 'txt', 'svg'] as const
export type TimelineFormat = (typeof TIMELINE_FORMATS)[number]

export interface TimelineWish {
  /** 0 is this boot, -1 the one before; or a boot id. */
  readonly boot: string | number
  readonly format: TimelineFormat
}

/** There is no such boot, as far as the journal goes. */
export class NoSuchBoot extends Error {
  override name = 'NoSuchBoot'
}

/** @throws NoSuchBoot; a SourceError `withheld` when the mask cannot be trusted with it. */
export async function bootTimelineText(
  deps: BundleDeps,
  { boot, format }: TimelineWish,
  signal: AbortSignal,
): Promise<Buffer> {
  const request = parseBundleRequest({}, { nowMs: Date.now(), collectorIds: [], defaults: DEFAULT_LIMITS })
  const ended = new AbortController()
  const source = sourceContext(request, deps, AbortSignal.any([signal, ended.signal]))
  const run: Pick<BundleRun, 'request' | 'deps' | 'source' | 'redaction'> = {
    request,
    deps,
    source,
    redaction: openRedaction(request, deps),
  }
  try {
    await establishTrust(run)
    const kit = maskedKit(createKit(run), (text) => run.redaction.look(text))
    const listed = await listedBoots(kit)
    const timeline = await timelineOf(kit, find(listed, boot, kit), () => askSystemd(kit, { manager: [], units: [] }))
    return await masked(FORMATS[format](timeline), run)
  } finally {
    ended.abort(new Error('the timeline is made'))
    run.redaction.close()
  }
}

const FORMATS: Record<TimelineFormat, (timeline: Timeline) => string> = {
  json: (timeline) => `${JSON.stringify(timeline, null, 2)}\n`,
  txt: timelineText,
  svg: timelineSvg,
}

/** undefined for the present boot where the journal does not know it. @throws NoSuchBoot */
function find(listed: readonly Boot[], wish: string | number, { host }: Kit): Boot | undefined {
  const own = host.bootId.replaceAll('-', '')
  const id = typeof wish === 'string' ? wish.replaceAll('-', '') : undefined
  if (wish === 0 || id === own) return listed.find((one) => one.id === own)
  const others = listed.filter((one) => one.id !== own).toSorted((a, b) => b.lastMs - a.lastMs)
  const found = typeof wish === 'number' ? others[-wish - 1] : others.find((one) => one.id === id)
  if (found) return found
  throw new NoSuchBoot(`the journal knows this boot (0) and ${others.length} before it; ${wish} is none of them`)
}

/** By the pipe of an entry: where the mask is not to be trusted, nothing comes out. */
async function masked(text: string, { redaction }: Pick<BundleRun, 'redaction'>): Promise<Buffer> {
  const parts: Buffer[] = []
  const kept: EntryWriter = {
    path: 'boot/timeline',
    write: async (part) => void parts.push(Buffer.from(part)),
    end: async () => [],
    discard: () => {},
  }
  const pipe = redaction.pipe(kept)
  try {
    await pipe.write(Buffer.from(text))
    await pipe.flush()
  } finally {
    pipe.discard()
  }
  return Buffer.concat(parts)
}
