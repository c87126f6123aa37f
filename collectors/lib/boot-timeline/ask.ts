/** Asks the machine for what a timeline is made of. Each look is bounded; what does not answer is named in the timeline. */
import type { Kit } from '../../../src/collector.ts'
import type { Boot } from '../journal-boots.ts'
import { journalLacks } from '../journal-files.ts'
import { journalFormat, parseJournal, unitMatches } from './journal.ts'
import { managerProperties } from './kernel.ts'
import { announcedMatch } from './reported.ts'
import type { ClockPair, ContainerStart, SourceState, TimelineInputs } from './types.ts'
import { unitProperties } from './unit-histories.ts'

/** What the asker has besides: events that were recorded, patterns of phases. */
export type Known = Pick<TimelineInputs, 'events' | 'phases'>

export interface SystemdAnswers {
  /** `systemctl show` of the manager, and of all units. */
  readonly manager: string
  readonly units: string
}

type Absent = Partial<Record<SourceState['source'], string>>

/** `boot`: as the journal lists it; undefined when it does not know the present one. `systemd`: rejects when it does not answer. */
export async function timelineInputs(
  kit: Kit,
  boot: Boot | undefined,
  systemd: () => Promise<SystemdAnswers>,
  known: Known = {},
): Promise<TimelineInputs> {
  const absent: Absent = {}
  const live = boot === undefined || boot.id === kit.host.bootId.replaceAll('-', '')
  const noted = async <T>(source: SourceState['source'], ask: Promise<T>): Promise<T | undefined> =>
    ask.catch((error: unknown) => {
      kit.signal.throwIfAborted()
      absent[source] = error instanceof Error ? error.message : String(error)
      return undefined
    })
  const [journal, answers, cloudInit, containers] = await Promise.all([
    noted('journal', askJournal(kit, boot, known, absent)),
    noted('systemd', systemd()),
    noted('cloud-init', askCloudInit(kit)),
    noted('container', askContainers(kit)),
  ])
  const last = await lastKnown(kit, live, journal?.last)
  return {
    ...known,
    bootId: boot?.id ?? kit.host.bootId,
    live,
    absent,
    ...(last && { last }),
    ...(journal && { journal: journal.text }),
    ...answers,
    ...(cloudInit !== undefined && { cloudInit }),
    ...(containers && { containers }),
  }
}

/** Asks for what the timeline and the plot of the start need, at once. */
export async function askSystemd(kit: Kit, more: { manager: readonly string[]; units: readonly string[] }) {
  if (!kit.host.systemd) throw new Error('PID 1 is not systemd')
  const [ofManager, ofUnits] = [managerProperties, unitProperties].map((own, at) =>
    [...new Set([...own, ...(at === 0 ? more.manager : more.units)])].join(','),
  )
  const manager = await kit.run`systemctl show --no-pager --property=${ofManager!}`
  const units = await kit.run`systemctl show --no-pager --property=${ofUnits!} -- *`
  const broken = [manager, units].find(({ exitCode }) => exitCode !== 0)
  if (broken) throw new Error(`systemctl show: ${broken.stderr.trim()}`)
  return { manager: manager.stdout, units: units.stdout } satisfies SystemdAnswers
}

const MINUTE_MS = 60_000
/** The start itself in full, and of the hours after it what provisioning may still need: a unit that fails twice a second fills the second one only. */
const SPANS = [
  { fromMs: 0, toMs: 15 * MINUTE_MS, lines: 6000, announced: 2000 },
  { fromMs: 15 * MINUTE_MS, toMs: 360 * MINUTE_MS, lines: 1500, announced: 500 },
]

async function askJournal(kit: Kit, boot: Boot | undefined, { phases }: Known, absent: Absent) {
  const lacking = (await kit.missing({ command: 'journalctl' })) ?? (await journalLacks(kit))
  if (lacking !== undefined) throw new Error(lacking)
  if (!boot) throw new Error('the journal holds nothing of this boot')
  const options = ['--quiet', '--no-pager', '--utc', `--boot=${boot.id}`, ...journalFormat]
  const newest = (await kit.run`journalctl ${options} -n 1`).stdout
  const [last] = parseJournal(newest)
  const texts = [newest]
  for (const { range, lines, announced } of wantedSpans(boot.firstMs, last)) {
    texts.push((await kit.run`journalctl ${options} ${range} --lines=${lines} ${unitMatches}`).stdout)
    const found = kit.run`journalctl ${options} ${range} --lines=${announced} ${announcedMatch(phases)}`
    const text = await inTime(found.then(({ stdout }) => stdout)).catch((error: unknown) => {
      kit.signal.throwIfAborted()
      absent.phase = `not looked for to the end: ${String(error)}`
    })
    texts.push(text ?? '')
  }
  return { text: texts.join('\n'), last }
}

/** journalctl reads every line for this, of a loud machine for a minute and more: the timeline does not wait that long. */
const ANNOUNCED_MS = 15_000

async function inTime<T>(found: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the journal was not searched within ${ANNOUNCED_MS / 1000} s`)),
      ANNOUNCED_MS,
    )
  })
  try {
    return await Promise.race([found, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The journal finds by wall clock: where that was set during the boot, the same spans are also asked for as they are called since then. */
function wantedSpans(firstMs: number, last: ClockPair | undefined) {
  const begins = [firstMs]
  const since = last && last.wallMs - last.monotonicMs
  if (since !== undefined && Math.abs(since - firstMs) > CLOCK_SET_MS) begins.push(since)
  return begins.flatMap((beginMs) =>
    SPANS.map(({ fromMs, toMs, lines, announced }) => {
      const range = [`--since=@${at(beginMs + fromMs)}`, `--until=@${at(beginMs + toMs)}`]
      return { range, lines, announced }
    }),
  )
}

/** The journal begins within this of the kernel; a container's is off by all of its host's uptime, and finds nothing then. */
const CLOCK_SET_MS = 2 * MINUTE_MS

const at = (ms: number): string => (ms / 1000).toFixed(3)

async function lastKnown(kit: Kit, live: boolean, last: ClockPair | undefined): Promise<ClockPair | undefined> {
  const wallMs = Date.now()
  if (!live || !last) {
    const uptime = live ? /^[\d.]+/.exec((await kit.read('/proc/uptime')) ?? '')?.[0] : undefined
    return uptime === undefined ? last : { wallMs, monotonicMs: Number(uptime) * 1000 }
  }
  // Uptime counts sleep, the clock of the journal does not: so from the newest line on.
  return { wallMs, monotonicMs: last.monotonicMs + Math.max(0, wallMs - last.wallMs) }
}

const CLOUD_INIT_LOG = '/var/log/cloud-init.log'
/** Of some forty boots; the newest stand at its end. */
const LOG_BYTES = 4_000_000

async function askCloudInit(kit: Kit): Promise<string> {
  const lacking = await kit.missing({ file: CLOUD_INIT_LOG })
  if (lacking !== undefined) throw new Error(lacking)
  const { stdout, stderr, exitCode } = await kit.run`tail --bytes=${LOG_BYTES} -- ${CLOUD_INIT_LOG}`
  if (exitCode !== 0) throw new Error(stderr.trim())
  return stdout
}

/** Of a node with thousands of dead containers the newest tell how it started. */
const MOST_CONTAINERS = 50

interface Listed {
  readonly Id: string
}

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly State: { readonly StartedAt: string }
}

async function askContainers(kit: Kit): Promise<ContainerStart[]> {
  const { present } = await kit.engines()
  const found = await Promise.all(
    present.map(async (engine) => {
      const listed = (await engine.get(`/containers/json?all=1&limit=${MOST_CONTAINERS}`)) as Listed[]
      // One may go between the list and the question.
      const asked = listed.map(({ Id }) => engine.get(`/containers/${Id}/json`).catch(() => undefined))
      return (await Promise.all(asked)) as (Inspected | undefined)[]
    }),
  )
  return found.flat().flatMap((one) => {
    return one ? [{ id: one.Id, name: one.Name.replace(/^\//, ''), startedAt: one.State.StartedAt }] : []
  })
}
