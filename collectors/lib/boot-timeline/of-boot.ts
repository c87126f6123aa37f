/** The timeline of one boot, from everything on the machine that tells of it. */
import type { Kit, SelfFacts } from '../../../src/collector.ts'
import { type Boot, parseBoots } from '../journal-boots.ts'
import { timelineInputs, type Known, type SystemdAnswers } from './ask.ts'
import { bootTimeline } from './build.ts'
import { PHASES } from './reported.ts'
import type { PhasePatterns, Timeline } from './types.ts'

/** `boot`: as the journal lists it; undefined when it does not know the present one. */
export async function timelineOf(
  kit: Kit,
  boot: Boot | undefined,
  systemd: () => Promise<SystemdAnswers>,
): Promise<Timeline> {
  return bootTimeline(await timelineInputs(kit, boot, systemd, await known(kit, boot)))
}

export async function listedBoots(kit: Kit): Promise<Boot[]> {
  if ((await kit.missing({ command: 'journalctl' })) !== undefined) return []
  const listed = await kit.run`journalctl --list-boots --quiet --no-pager --utc`.catch(() => undefined)
  return parseBoots(listed?.stdout ?? '')
}

/** What programs reported, and what the journal may have forgotten by now. */
const TYPES = ['provision', 'phase', 'container']
const MOST_EVENTS = 1000

async function known({ events, host, self }: Kit, boot: Boot | undefined): Promise<Known> {
  const id = boot?.id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') ?? host.bootId
  const asked = TYPES.map((typePrefix) =>
    events.newest({ boot: id, typePrefix, limit: MOST_EVENTS }).catch(() => undefined),
  )
  const recorded = (await Promise.all(asked)).filter((found) => found !== undefined).flat()
  return { events: recorded, phases: phasesOf(self) }
}

function phasesOf({ phases: { start, end } = {} }: SelfFacts): PhasePatterns {
  return {
    start: start === undefined ? PHASES.start : new RegExp(start),
    end: end === undefined ? PHASES.end : new RegExp(end),
  }
}
