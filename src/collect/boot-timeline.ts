/** The timeline of one boot by itself: the same as in a bundle, looked for and masked in the same way. */
import { askSystemd } from '../../collectors/lib/boot-timeline/ask.ts'
import { listedBoots, timelineOf } from '../../collectors/lib/boot-timeline/of-boot.ts'
import { timelineSvg } from '../../collectors/lib/boot-timeline/svg.ts'
import { timelineText } from '../../collectors/lib/boot-timeline/text.ts'
import type { Timeline } from '../../collectors/lib/boot-timeline/types.ts'
import type { Boot } from '../../collectors/lib/journal-boots.ts'
import type { Kit } from '../collector.ts'
import { askedApart } from './apart.ts'
import { NoSuchBoot, type TimelineFormat, type TimelineWish } from './boot-wish.ts'
import type { BundleDeps } from './deps.ts'

/** @throws NoSuchBoot; a SourceError `withheld` when the mask cannot be trusted with it. */
export function bootTimelineText(
  deps: BundleDeps,
  { boot, format }: TimelineWish,
  signal: AbortSignal,
): Promise<Buffer> {
  return askedApart(
    deps,
    async (kit) => {
      const listed = await listedBoots(kit)
      const timeline = await timelineOf(kit, find(listed, boot, kit), () => askSystemd(kit, { manager: [], units: [] }))
      return FORMATS[format](timeline)
    },
    signal,
  )
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
