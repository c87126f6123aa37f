/** The known disasters, each said in a sentence. No I/O. */
import { atWork } from './between.ts'
import type { Part, UnitHistory } from './parts.ts'
import { installedLate } from './installed-late.ts'
import { since, span } from './say.ts'
import { restartsWithVictims, type Takedown, type Ties } from './took-down.ts'
import type { Finding, Gap, Step } from './types.ts'

export interface Evidence {
  readonly parts: readonly Part[]
  readonly steps: readonly Step[]
  readonly gaps: readonly Gap[]
  readonly histories: ReadonlyMap<string, UnitHistory>
  readonly ties: Ties
  /** When the boot, or what is seen of it, ends. */
  readonly lastMs: number
  /** The boot goes on. */
  readonly live: boolean
}

/** In the order in which it happened. */
export function findDisasters(evidence: Evidence): Finding[] {
  const all = [
    ...installedLate(evidence),
    ...tookDown(evidence),
    ...neverEnded(evidence),
    ...waitedForNetwork(evidence),
  ]
  return all.sort((a, b) => a.startedMs - b.startedMs)
}

function tookDown({ histories, ties, parts }: Evidence): Finding[] {
  return restartsWithVictims(histories, ties).map((takedown) => {
    const { unit, stoppedMs, victims } = takedown
    const during = atWork(parts, stoppedMs, stoppedMs).filter((name) =>
      parts.some((p) => p.name === name && isScript(p)),
    )
    const names = victims.map(({ name, because }) => (because === '' ? name : `${name} (${because})`))
    const isStop = takedown.upMs === undefined && takedown.failure === undefined
    return {
      id: 'restart-took-down',
      title: `The ${isStop ? 'stop' : 'restart'} of ${unit} at ${since(stoppedMs)}${during.length > 0 ? ` (during ${listed(during)})` : ''} took down ${listed(names)}; ${outcome(takedown)}.`,
      steps: [unit, ...victims.map(({ name }) => name)],
      startedMs: stoppedMs,
    }
  })
}

/** Who did not come back, and why; that somebody stopped a unit is no news of that unit. */
function outcome({ unit, upMs, failure, victims }: Takedown): string {
  const itself = failure === undefined ? [] : [{ name: unit, upMs, failure }]
  const down = [...itself, ...victims].filter((one) => one.upMs === undefined)
  if (down.length === 0)
    return `everything was up again at ${since(Math.max(upMs ?? 0, ...victims.map((v) => v.upMs ?? 0)))}`
  return `${listed(down.map(({ name, failure: why }) => (why === undefined ? name : `${name} (${why})`)))} did not come back`
}

const isScript = ({ source }: Part): boolean => source === 'phase' || source === 'provision' || source === 'cloud-init'

/** While a boot goes on, a step may take its time: this much is normal. */
const PATIENCE_MS = 5 * 60_000

function neverEnded({ steps, lastMs, live }: Evidence): Finding[] {
  const open = steps.filter(
    ({ status, startedMs }) => status === 'never-ended' || (status === 'running' && lastMs - startedMs >= PATIENCE_MS),
  )
  const parents = new Set(open.map(({ parent }) => parent))
  return open
    .filter(({ name }) => !parents.has(name))
    .map((step) => ({
      id: 'never-ended',
      title: `${step.name} (${step.source}) began at ${since(step.startedMs)} and ${unended(step, { steps, lastMs, live })}.`,
      steps: [step.name],
      startedMs: step.startedMs,
    }))
}

function unended(
  { parent, startedMs }: Step,
  { steps, lastMs, live }: Pick<Evidence, 'steps' | 'lastMs' | 'live'>,
): string {
  const later = span(lastMs - startedMs)
  if (!live) return `never ended: the boot was over ${later} later`
  const ran = steps.findLast(({ name }) => name === parent)
  if (ran && ran.endedMs !== null) return `has not ended: ${ran.name}, which ran it, did at ${since(ran.endedMs)}`
  return `has not ended ${later} later`
}

const NETWORK =
  /wait-online|network-online|^networking\.service|^ifup|dhclient|dhcpcd|cloud-init(?:-network)?\.service|^cloud-init init-(?:local|network)|^init-(?:local|network)\/search-/

/** Silence that a person notices. */
const SILENCE_MS = 30_000

function waitedForNetwork({ gaps, steps }: Evidence): Finding[] {
  const waits = new Map<string, { silentMs: number; startedMs: number; endedMs: number }>()
  for (const { waitedFor, startedMs, endedMs, durationMs } of gaps) {
    const name = waitedFor.find((step) => NETWORK.test(step))
    if (name === undefined) continue
    const before = waits.get(name) ?? { silentMs: 0, startedMs, endedMs }
    waits.set(name, { ...before, silentMs: before.silentMs + durationMs, endedMs })
  }
  return [...waits].flatMap(([name, { silentMs, startedMs, endedMs }]) => {
    if (silentMs < SILENCE_MS) return []
    const step = steps.find((each) => each.name === name)
    const end = step?.status === 'failed' ? `, and then failed (${step.detail})` : ''
    const title = `${span(silentMs)} of silence: ${name} waited for the network from ${since(startedMs)} to ${since(endedMs)}${end}.`
    return [{ id: 'waited-for-network' as const, title, steps: [name], startedMs }]
  })
}

/** `a, b and c`; of many the first ones. */
function listed(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} more`] : names
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

const MOST_NAMES = 6
