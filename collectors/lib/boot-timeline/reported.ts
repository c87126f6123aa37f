/** Phases that scripts announce in the journal, provisioning steps and container starts that programs report. No I/O. */
import type { BootClock } from './clock.ts'
import type { JournalLine } from './journal.ts'
import type { Part } from './parts.ts'
import type { ContainerStart, PhasePatterns, ReportedEvent, StepSource } from './types.ts'

/** At the beginning of a message, but for a time or a tag before it: `set -x` and sudo repeat commands that say such words. */
export const PHASES: PhasePatterns = {
  start: '^[-0-9:.TZ\\[\\] ]*PHASE START: *(.+?) *$',
  end: '^[-0-9:.TZ\\[\\] ]*PHASE END: *(.+?) *$',
  failed: '^[-0-9:.TZ\\[\\] ]*PHASE FAIL(?:ED)?: *(.+?) *$',
}

/** One argument of journalctl that finds their lines. */
export const phaseMatch = ({ start, end, failed }: PhasePatterns = PHASES): string =>
  `--grep=${[start, end, failed].map((pattern) => `(?:${pattern})`).join('|')}`

/** Throws SyntaxError when a pattern is none. */
export function phaseParts(lines: readonly JournalLine[], patterns: PhasePatterns = PHASES): Part[] {
  const edges = Object.entries(patterns).map(([edge, pattern]) => ({ edge, pattern: new RegExp(pattern) }))
  const pairing = new Pairing('phase')
  for (const { message, monotonicMs } of lines) {
    for (const { edge, pattern } of edges) {
      const name = pattern.exec(message)?.[1]
      if (name === undefined) continue
      pairing.note(name, edge === 'start' ? 'started' : edge === 'end' ? 'finished' : 'failed', monotonicMs, '')
      break
    }
  }
  return pairing.parts()
}

/** `provision.<name>` and `phase.<name>` with a status of started, finished or failed in their detail, or behind their name. */
export function reportedParts(
  events: readonly ReportedEvent[],
  bootId: string,
  { clock, originMs }: { readonly clock: BootClock; readonly originMs: number },
): Part[] {
  const pairings = { provision: new Pairing('provision'), phase: new Pairing('phase') }
  const timed = events
    .filter((event) => plain(event.bootId) === plain(bootId))
    .flatMap((event) => {
      const atMs = event.monotonicMs === undefined ? clock.toMonotonic(event.timeMs) : event.monotonicMs - originMs
      return atMs === undefined ? [] : [{ event, atMs }]
    })
    .sort((a, b) => a.atMs - b.atMs)
  for (const { event, atMs } of timed) {
    const [, kind, name, ending] = /^(provision|phase)\.(.+?)(?:\.(started|finished|failed))?$/.exec(event.type) ?? []
    const status = event.detail?.['status'] ?? ending
    if (kind === undefined || !isStatus(status)) continue
    pairings[kind as keyof typeof pairings].note(name!, status, atMs, status === 'failed' ? event.message : '')
  }
  return [...pairings.provision.parts(), ...pairings.phase.parts(), ...firstStarts(timed)]
}

function firstStarts(timed: readonly { event: ReportedEvent; atMs: number }[]): Part[] {
  const first = new Map<string, number>()
  for (const { event, atMs } of timed) {
    if (/^container\.start(?:ed)?$/.test(event.type) && !first.has(event.subject)) first.set(event.subject, atMs)
  }
  return [...first].map(([name, atMs]) => containerPart(name, atMs))
}

/** The engine knows the last start of a container; those of other boots are left out. */
export function containerParts(containers: readonly ContainerStart[], fromMs: number, clock: BootClock): Part[] {
  return containers.flatMap(({ name, startedAt }) => {
    const atMs = clock.toMonotonic(Date.parse(startedAt))
    return atMs === undefined || Number.isNaN(atMs) || atMs < fromMs ? [] : [containerPart(name, atMs)]
  })
}

function containerPart(name: string, atMs: number): Part {
  return { name, source: 'container', status: 'done', startedMs: atMs, endedMs: atMs, detail: 'started' }
}

const plain = (bootId: string): string => bootId.replaceAll('-', '')

type Edge = 'started' | 'finished' | 'failed'
const isStatus = (value: unknown): value is Edge => value === 'started' || value === 'finished' || value === 'failed'

/** The same line comes twice when a script's output goes to the console and to a log. */
const ECHO_MS = 2000

/** Begins and ends of steps with names. */
class Pairing {
  readonly #source: StepSource
  readonly #done: Part[] = []
  readonly #open = new Map<string, { startedMs: number; lastMs: number; starts: number }>()
  readonly #ended = new Map<string, number>()

  constructor(source: StepSource) {
    this.#source = source
  }

  note(name: string, edge: Edge, atMs: number, detail: string): void {
    if (edge === 'started') this.#start(name, atMs)
    else this.#end(name, edge, atMs, detail)
  }

  parts(): Part[] {
    const open = [...this.#open].map(([name, { startedMs, starts }]) =>
      this.#part(name, 'open', startedMs, null, starts > 1 ? `started ${starts} times` : ''),
    )
    return [...this.#done, ...open]
  }

  #start(name: string, atMs: number): void {
    const open = this.#open.get(name)
    if (!open) {
      if (atMs - (this.#ended.get(name) ?? -Infinity) < ECHO_MS && this.#isInstant(name)) return
      this.#open.set(name, { startedMs: atMs, lastMs: atMs, starts: 1 })
    } else {
      if (atMs - open.lastMs > ECHO_MS) open.starts += 1
      open.lastMs = atMs
    }
  }

  #isInstant(name: string): boolean {
    const last = this.#done.findLast((part) => part.name === name)
    return last?.endedMs !== undefined && last.endedMs !== null && last.endedMs - last.startedMs < ECHO_MS
  }

  #end(name: string, edge: 'finished' | 'failed', atMs: number, detail: string): void {
    const open = this.#open.get(name)
    this.#open.delete(name)
    if (!open && atMs - (this.#ended.get(name) ?? -Infinity) < ECHO_MS) return
    this.#ended.set(name, atMs)
    const status = edge === 'failed' ? 'failed' : (open?.starts ?? 1) > 1 ? 'restarted' : 'done'
    const told = !open ? 'nobody said when it began' : open.starts > 1 ? `started ${open.starts} times` : ''
    const text = [detail, told].filter((part) => part !== '').join('; ')
    this.#done.push(this.#part(name, status, open?.startedMs ?? atMs, atMs, text))
  }

  #part(name: string, status: Part['status'], startedMs: number, endedMs: number | null, detail: string): Part {
    return { name, source: this.#source, status, startedMs, endedMs, detail }
  }
}
