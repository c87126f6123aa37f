/** The questions of summary.txt, in its order. Each answer is a line, or several; a reason why not is an error. */
import { endInWtmp } from '../../collectors/lib/boot-end.ts'
import type { KeptContainer, Kit } from '../collector.ts'
import { patiently } from '../sources/patience.ts'
import { synchronized } from './index-json.ts'
import { standsOut } from './summary-metrics.ts'
import { counts, engineRestarts, failures, recordedEnd, recordedKills, slowSteps } from './summary-recorded.ts'

interface Probe {
  readonly label: string
  readonly ask: (kit: Kit) => Promise<string | readonly string[]>
}

export const PROBES: readonly Probe[] = [
  { label: 'boot', ask: boot },
  { label: 'previous boot', ask: previousBoot },
  { label: 'recorded', ask: counts },
  { label: 'failed units', ask: failedUnits },
  { label: '  since boot', ask: failures },
  { label: '  engines', ask: engineRestarts },
  { label: 'slowest steps', ask: slowSteps },
  { label: 'OOM kills', ask: oomKills },
  { label: 'dead containers', ask: deadContainers },
  { label: 'full disks', ask: fullDisks },
  { label: 'memory', ask: memory },
  { label: 'load', ask: load },
  { label: 'pressure', ask: pressure },
  { label: 'measured', ask: standsOut },
  { label: 'clock', ask: clock },
]

async function boot({ read, host }: Kit): Promise<string> {
  const seconds = Number((await read('/proc/uptime'))?.split(' ')[0])
  const since = new Date(Date.now() - seconds * 1000).toISOString().slice(0, 19)
  return `${host.bootId}, up ${duration(seconds)} since ${since}Z`
}

/** How the machine last went down: as it was recorded, and by the records of shutdowns. */
async function previousBoot(kit: Kit): Promise<string | string[]> {
  const wtmp = endByWtmp(kit)
  wtmp.catch(() => {})
  const recorded = await recordedEnd(kit)
  if (recorded === undefined) return wtmp
  return [`recorded: ${recorded}`, `wtmp: ${await wtmp.catch(() => 'unknown')}`]
}

async function endByWtmp({ run, missing }: Kit): Promise<string> {
  const absent = await missing({ command: 'last', file: '/var/log/wtmp' })
  if (absent !== undefined) throw new Error(absent)
  const { stdout } = await run`last -x -F -n 40 reboot shutdown`
  const { verdict, evidence } = endInWtmp(stdout)
  return evidence === undefined ? verdict : `${verdict} (${squeeze(evidence)})`
}

async function failedUnits({ run, host }: Kit): Promise<string | string[]> {
  if (!host.systemd) return 'PID 1 is not systemd'
  const { stdout } = await run`systemctl list-units --state=failed,auto-restart --plain --no-legend --no-pager`
  const units = stdout.split('\n').filter(Boolean).map(squeeze)
  return units.length === 0 ? 'none' : head(units)
}

async function oomKills(kit: Kit): Promise<string[]> {
  return [await countedKills(kit), ...(await recordedKills(kit))]
}

async function countedKills({ read }: Kit): Promise<string> {
  const kills = /^oom_kill (\d+)$/m.exec((await read('/proc/vmstat')) ?? '')?.[1]
  if (kills === undefined) throw new Error('the kernel does not count them')
  return kills === '0' ? 'none since boot' : `${kills} since boot (kernel/problems.txt)`
}

async function deadContainers(kit: Kit): Promise<string | readonly string[]> {
  const asked = keptInTime(kit)
  const [there, gone] = await Promise.all([deadOfEngines(kit, asked), diedLately(asked)])
  return gone.length === 0 ? there : [...[there].flat(), ...gone]
}

/** Without them the line still tells what engines list. */
function keptInTime({ containers, signal }: Kit): Promise<readonly KeptContainer[] | undefined> {
  return patiently(containers.kept(), 'what is kept', { ms: KEPT_MS, signal }).catch(() => undefined)
}

async function deadOfEngines(
  { engines }: Kit,
  kept: Promise<readonly KeptContainer[] | undefined>,
): Promise<string | string[]> {
  const { present, absent } = await engines()
  if (present.length === 0)
    return absent.length === 0
      ? 'no container engine found'
      : absent.map(({ socket, reason }) => (reason.includes(socket) ? reason : `${socket}: ${reason}`))
  const lists = await Promise.all(
    present.map(async (engine) => (await engine.get('/containers/json?all=1')) as Listed[]),
  )
  // An engine's list tells the exit code only, and may not know the rest.
  const known = new Map((await kept)?.map((one) => [one.id, one]))
  const unable = ({ State, Id }: Listed) => (State === 'created' ? known.get(Id)?.error : undefined)
  const dead = lists.flat().filter((one) => DEAD.has(one.State) || unable(one) !== undefined)
  if (dead.length === 0) return `none of ${lists.flat().length}`
  return head(
    dead.map((one) => {
      const name = one.Names[0]?.replace(/^\//, '') ?? '(no name)'
      const error = unable(one)
      if (error !== undefined) return `${name}: could not be started: ${endOf(error)}`
      return `${name}: ${one.Status}${known.get(one.Id)?.oomKilled ? ', out of memory' : ''}`
    }),
  )
}

const DEAD: ReadonlySet<string> = new Set(['dead', 'exited', 'restarting'])
const ERROR_CHARACTERS = 120

/** Engines put in front of the reason through how many hands it went. */
function endOf(error: string): string {
  return error.length > ERROR_CHARACTERS ? `…${error.slice(-ERROR_CHARACTERS)}` : error
}

interface Listed {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Status: string
  readonly State: string
}

const LATELY_MS = 24 * 3_600_000
/** Of those that are gone; summary.txt has room for 8 KiB. */
const MOST_GONE = 6
/** Less than a question has. */
const KEPT_MS = 1000

/** Containers that ended badly and were removed since: their logs are in the bundle. */
async function diedLately(asked: Promise<readonly KeptContainer[] | undefined>): Promise<string[]> {
  const kept = await asked
  if (!kept) return ['those that were removed are not known in time']
  const since = Date.now() - LATELY_MS
  const died = kept.filter(
    ({ exitCode, removedMs = 0, oomKilled, error }) =>
      removedMs > since && (oomKilled || error !== undefined || (exitCode ?? 0) !== 0),
  )
  const lines = died.slice(0, MOST_GONE).map(({ name, exitCode, oomKilled, error, removedMs = 0 }) => {
    const how = error === undefined ? `exited (${exitCode})${oomKilled ? ', out of memory' : ''}` : endOf(error)
    return `${name.slice(0, 80)}: ${how}, removed ${new Date(removedMs).toISOString().slice(0, 19)}Z`
  })
  return died.length > MOST_GONE ? [...lines, `… and ${died.length - MOST_GONE} more that were removed`] : lines
}

const FULL_PERCENT = 90

/** Real file systems by their device, each once; a mount that may hang is asked in a child and only late for itself. */
async function fullDisks({ read, statfs }: Kit): Promise<string | string[]> {
  const mounts = ((await read('/proc/self/mounts')) ?? '').split('\n').map((line) => line.split(' '))
  const byDevice = new Map(
    mounts.filter(([device]) => device?.startsWith('/dev/')).map(([device, path]) => [device!, path!]),
  )
  const usages = await Promise.all([...byDevice.values()].map(async (path) => usage(unescaped(path), statfs)))
  const full = usages.filter((text) => text !== undefined)
  return full.length === 0 ? `none of ${byDevice.size} over ${FULL_PERCENT} %` : head(full)
}

async function usage(path: string, statfs: Kit['statfs']): Promise<string | undefined> {
  try {
    const { blocks, blocksFree, blocksAvailable, inodes, inodesFree } = await statfs(path)
    // As df counts: what is used of what users may use.
    const used = blocks - blocksFree
    const blockPercent = percent(used, used + blocksAvailable)
    const inodePercent = percent(inodes - inodesFree, inodes)
    if (blockPercent < FULL_PERCENT && inodePercent < FULL_PERCENT) return undefined
    return `${path}: ${blockPercent} % of space, ${inodePercent} % of inodes used`
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function memory({ read }: Kit): Promise<string> {
  const text = (await read('/proc/meminfo')) ?? ''
  const mib = (key: string): number =>
    Math.round(Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024)
  const swap =
    mib('SwapTotal') === 0 ? 'no swap' : `swap ${mib('SwapTotal') - mib('SwapFree')} of ${mib('SwapTotal')} MiB used`
  return `${mib('MemAvailable')} of ${mib('MemTotal')} MiB available, ${swap}`
}

async function load({ read }: Kit): Promise<string> {
  const text = await read('/proc/loadavg')
  if (text === undefined) throw new Error('/proc/loadavg cannot be read')
  const cpus = ((await read('/proc/cpuinfo')) ?? '').match(/^processor\s*:/gm)?.length
  return `${text.split(' ').slice(0, 3).join(' ')}${cpus ? ` on ${cpus} CPUs` : ''}`
}

async function pressure({ read }: Kit): Promise<string> {
  const texts = await Promise.all(
    ['cpu', 'memory', 'io'].map(async (resource) => {
      const average = /^some avg10=([\d.]+)/m.exec((await read(`/proc/pressure/${resource}`)) ?? '')?.[1]
      return average === undefined ? undefined : `${resource} ${average} %`
    }),
  )
  const known = texts.filter((text) => text !== undefined)
  if (known.length === 0) throw new Error('the kernel does not tell (no /proc/pressure)')
  return `${known.join(', ')} of the last 10 s with something stalled`
}

async function clock({ host }: Kit): Promise<string> {
  const state = synchronized('')
  const text = state === null ? 'synchronization unknown (no timesyncd)' : state ? 'synchronized' : 'NOT synchronized'
  return `${text}, zone ${host.timeZone}`
}

const MOST_ITEMS = 12

function head(items: readonly string[]): string[] {
  const more = items.length - MOST_ITEMS
  return more > 0 ? [...items.slice(0, MOST_ITEMS), `… and ${more} more`] : [...items]
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.ceil((part / whole) * 100)
}

/** /proc/mounts writes spaces and the like as octal codes. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`
}
