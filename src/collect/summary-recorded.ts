/** What summary.txt tells of recorded events. Nothing to tell is no line; that nothing can be asked is told once. */
import type { Kit, RecordedEvent, RecordedFilter } from '../collector.ts'

type Events = Pick<Kit, 'events'>

const MOST = 1000
const MOST_LINES = 5

/** How much went wrong in this boot; throws when nobody knows. */
export async function counts({ events }: Events): Promise<string> {
  const found = await events.newest({ boot: 0, level: 'warning', limit: MOST })
  const more = found.length === MOST ? 'at least ' : ''
  const grave = found.filter(({ level }) => level !== 'warning').length
  if (found.length === 0) return 'no warning and no error since boot'
  const warnings = found.length - grave
  return `${more}${many(grave, 'error')}, ${many(warnings, 'warning')} since boot (events/recent.txt)`
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** How the boot before this one ended; undefined when it was not recorded. */
export async function recordedEnd({ events }: Events): Promise<string | undefined> {
  const [last] = await newest({ events }, { boot: -1, typePrefix: 'system', limit: MOST }, (event) =>
    /^system\.(?:unclean-end|shutdown|shutdown-requested)$/.test(event.type),
  )
  if (!last) return undefined
  if (last.type === 'system.unclean-end') return `WITHOUT A WORD (power cut, crash or reset), last heard of ${at(last)}`
  return `in good order: ${last.message}, ${at(last)}`
}

/** Who was killed for want of memory. */
export async function recordedKills({ events }: Events): Promise<string[]> {
  const kills = await newest({ events }, { boot: 0, typePrefix: 'kernel.oom-kill', limit: MOST })
  return head(kills.map((event) => `${at(event)}  ${event.subject}`))
}

/** Units that failed in this boot, also those that run again. */
export async function failures({ events }: Events): Promise<string[]> {
  const failed = await newest({ events }, { boot: 0, typePrefix: 'unit', level: 'error', limit: MOST }, (event) =>
    /^unit\.(?:failed|start-limit|oom-killed)$/.test(event.type),
  )
  const units = [...Map.groupBy(failed, ({ subject }) => subject)]
  return head(units.map(([unit, all]) => `${unit}: ${times(all)} ${at(all[0]!)}: ${all[0]!.message}`))
}

const ENGINES = /^(?:docker|containerd|podman|crio|kubelet|k3s)\.service$/

/** Engines that were stopped and started again: what runs in them was, too. */
export async function engineRestarts({ events }: Events): Promise<string[]> {
  const stopped = await newest({ events }, { boot: 0, typePrefix: 'unit.stopped', limit: MOST }, ({ subject }) =>
    ENGINES.test(subject),
  )
  const units = [...Map.groupBy(stopped, ({ subject }) => subject)]
  return head(units.map(([unit, all]) => `${unit}: stopped ${times(all)} ${at(all[0]!)}`))
}

function times({ length }: readonly RecordedEvent[]): string {
  return length === 1 ? 'once,' : `${length} times, last`
}

interface Step {
  readonly name: string
  readonly text: string
  readonly tookMs: number
}

/** Steps of this boot that somebody announced: those that took longest, and those that began and never ended. */
export async function slowSteps({ events }: Events): Promise<string[]> {
  const asked = ['provision', 'phase', 'cloud-init'].map((typePrefix) =>
    newest({ events }, { boot: 0, typePrefix, limit: MOST }),
  )
  const steps = (await Promise.all(asked)).flatMap((found) => stepsOf(found.toReversed()))
  const slowest = steps.toSorted((a, b) => b.tookMs - a.tookMs).filter(({ tookMs }) => tookMs >= 1000)
  return slowest.slice(0, MOST_LINES).map(({ name, text }) => `${name}: ${text}`)
}

/** From the first event to the last. */
function stepsOf(events: readonly RecordedEvent[]): Step[] {
  const open = new Map<string, RecordedEvent>()
  const steps: Step[] = []
  for (const event of events) {
    const { name, edge } = edgeOf(event)
    const begun = open.get(name)
    if (edge === 'started') open.set(name, event)
    else if (edge !== undefined && begun) {
      open.delete(name)
      const tookMs = timeOf(event) - timeOf(begun)
      steps.push({ name, tookMs, text: `${seconds(tookMs)}${edge === 'failed' ? ', failed' : ''}` })
    }
  }
  const unended = [...open].map(([name, event]) => ({ name, text: `begun ${at(event)}, not ended`, tookMs: Infinity }))
  return [...steps, ...unended]
}

function edgeOf({ type, subject, detail }: RecordedEvent): { name: string; edge: string | undefined } {
  const [, kind, ending] = /^(phase|cloud-init\.stage)[.-](started|ended|finished|failed)$/.exec(type) ?? []
  if (kind) return { name: `${kind.replace('.stage', '')} ${subject}`, edge: ending }
  const status = detail?.['status']
  return { name: type, edge: type.startsWith('provision.') && typeof status === 'string' ? status : undefined }
}

/** The clock may have been set in between. */
function timeOf({ monotonicMs, timeMs }: RecordedEvent): number {
  return monotonicMs ?? timeMs
}

async function newest(
  { events }: Events,
  filter: RecordedFilter,
  fits: (event: RecordedEvent) => boolean = () => true,
): Promise<RecordedEvent[]> {
  const found = await events.newest(filter).catch(() => [])
  return found.filter((event) => fits(event))
}

function at({ timeMs }: RecordedEvent): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function head(lines: readonly string[]): string[] {
  const more = lines.length - MOST_LINES
  return more > 0 ? [...lines.slice(0, MOST_LINES), `… and ${more} more`] : [...lines]
}
