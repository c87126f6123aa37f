/** A unit that was stopped, and those that went down with it. No I/O. */
import { parseShow } from '../systemd-show.ts'
import type { Attempt, Part, UnitHistory } from './parts.ts'

/** Unit → the units whose stop stops it, and by which setting. undefined: nobody was asked. */
export type Ties = ReadonlyMap<string, ReadonlyMap<string, string>> | undefined

const SETTINGS = ['Requires', 'Requisite', 'BindsTo', 'PartOf']

export function tiesOf(show: string): Ties {
  const units = parseShow(show)
  if (units.length === 0) return undefined
  return new Map(
    units.map((unit) => {
      const pairs = SETTINGS.flatMap((setting) =>
        (unit[setting] ?? '').split(' ').map((name) => [name, `${setting}=`] as const),
      )
      return [unit['Id'] ?? '', new Map(pairs)]
    }),
  )
}

export interface Takedown extends Comeback {
  readonly unit: string
  readonly stoppedMs: number
  readonly victims: readonly Victim[]
}

interface Comeback {
  /** When it was up again, to stay; undefined when it did not come back. */
  readonly upMs: number | undefined
  /** Why it did not, where it was tried. */
  readonly failure: string | undefined
}

interface Victim extends Comeback {
  readonly name: string
  /** `Requires=`, or '' when only the moment tells. */
  readonly because: string
  readonly stoppedMs: number
}

interface Stop extends Comeback {
  readonly unit: string
  readonly fromMs: number
  readonly toMs: number
}

export function restartsWithVictims(histories: ReadonlyMap<string, UnitHistory>, ties: Ties): Takedown[] {
  const stops = [...histories.values()].flatMap(stopsOf).filter(({ unit }) => unit.endsWith('.service'))
  const all = stops
    .map((root) => ({ root, victims: victimsOf(root, stops, ties) }))
    .filter(({ victims }) => victims.length > 0)
  // Who went down with another is no cause of its own.
  const isVictim = (stop: Stop) =>
    all.some(({ root, victims }) => root !== stop && victims.some((victim) => isSame(victim, stop)))
  return all
    .filter(({ root, victims }) => !isVictim(root) || victims.some((victim) => isMutual(root, victim, all)))
    .filter(({ root }, at, kept) => kept.findIndex((other) => other.root.fromMs === root.fromMs) === at)
    .map(({ root: { unit, fromMs, upMs, failure }, victims }) => ({ unit, stoppedMs: fromMs, upMs, failure, victims }))
}

/** A step for each that was not started again: otherwise nothing would show that it is down. */
export function leftDown(histories: ReadonlyMap<string, UnitHistory>, ties: Ties): Part[] {
  return restartsWithVictims(histories, ties).flatMap(({ unit, victims }) =>
    victims.flatMap(({ name, stoppedMs, upMs, failure }) =>
      upMs === undefined && failure === undefined
        ? [
            {
              name,
              source: 'systemd',
              status: 'failed',
              startedMs: stoppedMs,
              endedMs: null,
              detail: `stopped with ${unit}, not started again`,
            } as const,
          ]
        : [],
    ),
  )
}

const isSame = ({ name, stoppedMs }: Victim, { unit, fromMs }: Stop): boolean => name === unit && stoppedMs === fromMs

/** Two units that take each other down: the one that is named first stands for both. */
function isMutual(root: Stop, victim: Victim, all: readonly { root: Stop; victims: readonly Victim[] }[]): boolean {
  const other = all.find(({ root: stop }) => isSame(victim, stop))
  return other?.victims.some((back) => isSame(back, root)) ?? false
}

function stopsOf({ unit, attempts }: UnitHistory): Stop[] {
  return attempts.flatMap((attempt: Attempt, at) => {
    if (attempt.stoppingMs === undefined) return []
    const toMs = attempt.stoppedMs ?? attempt.stoppingMs
    return [{ unit, fromMs: attempt.stoppingMs, toMs, ...comeback(attempts.slice(at + 1)) }]
  })
}

/** Up for less it was not: what a unit runs has begun, and ends because of what is missing. */
const STAYS_MS = 10_000

function comeback(attempts: readonly Attempt[]): Comeback {
  const stayed = attempts.find(({ upMs, failedMs = Infinity }) => upMs !== undefined && failedMs - upMs >= STAYS_MS)
  return {
    upMs: stayed?.upMs,
    failure: stayed ? undefined : attempts.find(({ failedMs }) => failedMs !== undefined)?.failure,
  }
}

/** systemd stops those first that were started after it, and gives each of them 90 s. */
const BEFORE_MS = 95_000
const AFTER_MS = 2000

function victimsOf(root: Stop, stops: readonly Stop[], ties: Ties): Victim[] {
  return stops.flatMap((stop) => {
    if (stop.unit === root.unit) return []
    const because = tieBetween(stop.unit, root.unit, ties)
    const beforeMs = because === undefined ? AFTER_MS : BEFORE_MS
    const isClose = stop.fromMs >= root.fromMs - beforeMs && stop.fromMs <= root.toMs + AFTER_MS
    // What ended long before the root was stopped did not end for it.
    const isChained = stop.toMs >= root.fromMs - AFTER_MS
    if (!isClose || !isChained || (because === undefined && !isTelling(stop.unit, root.unit, ties))) return []
    const { unit: name, fromMs: stoppedMs, upMs, failure } = stop
    return [{ name, because: because ?? '', stoppedMs, upMs, failure }]
  })
}

/** Directly, or over others in between. */
function tieBetween(unit: string, root: string, ties: Ties, depth = 0): string | undefined {
  const own = ties?.get(unit)
  if (!own || depth > 3) return undefined
  const direct = own.get(root)
  if (direct !== undefined) return direct
  for (const [name, setting] of own) {
    if (name.endsWith('.service') && tieBetween(name, root, ties, depth + 1) !== undefined) return `${setting}${name}`
  }
  return undefined
}

/** Without a tie that is known: of an engine for containers, those stopped in the same moment that are named like it, or of which nothing is known. */
function isTelling(unit: string, root: string, ties: Ties): boolean {
  const engine = /^(docker|containerd|podman|crio|k3s)\.service$/.exec(root)?.[1]
  if (engine === undefined) return false
  return unit.includes(engine) || unit.includes('container') || unit.includes('compose') || !ties?.has(unit)
}
