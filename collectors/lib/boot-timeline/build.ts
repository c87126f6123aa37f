/** One timeline of one boot from whatever tells of it. Pure: texts in, a plain object out. */
import { findGaps, findOverlaps } from './between.ts'
import { bootClock, type BootClock } from './clock.ts'
import { cloudInitParts, cloudInitRuns, type CloudInitRun } from './cloud-init.ts'
import { findDisasters, type Evidence } from './findings.ts'
import { containerParts } from './containers.ts'
import { parseJournal, type JournalLine } from './journal.ts'
import { startFacts, type StartFacts } from './kernel.ts'
import type { Part, UnitHistory } from './parts.ts'
import { phaseParts, reportedParts } from './reported.ts'
import { sourceStates } from './sources.ts'
import { shutdownTime, startSpan, type Span } from './span.ts'
import { sumOf, toSteps } from './steps.ts'
import { leftDown, tiesOf } from './took-down.ts'
import type { ClockPair, Step, Timeline, TimelineInputs } from './types.ts'
import { unitHistories, withLiveUnits } from './unit-histories.ts'
import { unitParts } from './unit-parts.ts'

/** What the sources say, on one axis: 0 is the start of the boot. */
interface Axis {
  readonly inputs: TimelineInputs
  readonly facts: StartFacts
  readonly lines: readonly JournalLine[]
  readonly runs: readonly CloudInitRun[]
  readonly clock: BootClock
  /** The last that is known, or the shutdown. */
  readonly lastMs: number
  readonly shutdownMs: number
}

/** What the sources hold never makes it throw: what cannot be understood is left out. */
export function bootTimeline(inputs: TimelineInputs): Timeline {
  const axis = axisOf(inputs)
  const told = toldParts(axis)
  const span = startSpan(told, axis.facts.finishedMs, axis)
  const histories = historiesOf(axis, span)
  const ties = tiesOf(inputs.units ?? '')
  const units = [...unitParts(histories.values()), ...leftDown(histories, ties)]
  const parts = [
    ...axis.facts.parts,
    ...told.filter(({ startedMs }) => startedMs <= span.endMs),
    // What only began after the start is of interest when it failed.
    ...units.filter(({ startedMs, status }) => startedMs <= span.endMs || status === 'failed'),
  ]
  return assemble(axis, { parts, histories, ties })
}

function axisOf(inputs: TimelineInputs): Axis {
  const absolute = parseJournal(inputs.journal ?? '')
  const facts = startFacts(inputs, absolute)
  const { originMs } = facts
  const moved = ({ wallMs, monotonicMs }: ClockPair) => ({ wallMs, monotonicMs: monotonicMs - originMs })
  const lines = absolute.map((line): JournalLine => Object.assign(line, moved(line)))
  const runs = cloudInitRuns(inputs.cloudInit ?? '').map((run) => Object.assign(run, { pairs: run.pairs.map(moved) }))
  const last = inputs.last && moved(inputs.last)
  const shutdownMs = inputs.live ? Infinity : shutdownTime(lines)
  const sleepsMs = lines.filter(({ kind }) => kind === 'sleep').map(({ monotonicMs }) => monotonicMs)
  const known = [...lines, ...(last ? [last] : [])]
  const own = runsOfBoot(runs, bootClock(known), last)
  // Those of cloud-init are less exact, and only wanted where the journal says nothing.
  const pairs = lines.length > 0 ? known : [...known, ...own.flatMap((run) => run.pairs)]
  const clock = bootClock(pairs, sleepsMs)
  const lastMs = Math.min(last?.monotonicMs ?? lines.at(-1)?.monotonicMs ?? facts.finishedMs ?? 0, shutdownMs)
  return { inputs, facts, lines, runs: own, clock, lastMs, shutdownMs }
}

/** A journal has an entry within this of the start of cloud-init: that of its unit. */
const NEAR_MS = 60_000
/** What the times of cloud-init are off by. */
const INEXACT_MS = 2000

/** Without a journal, those whose uptime fits the present boot. */
function runsOfBoot(
  runs: readonly CloudInitRun[],
  clock: BootClock,
  last: ClockPair | undefined,
): readonly CloudInitRun[] {
  const startOf = ({ wallMs, monotonicMs }: ClockPair) => wallMs - monotonicMs
  return runs.filter(({ startedWallMs, pairs }) => {
    const startedMs = clock.toMonotonic(startedWallMs) ?? -Infinity
    const isWithin = startedMs > -INEXACT_MS && startedMs < (last?.monotonicMs ?? Infinity) + INEXACT_MS
    if (!isWithin) return false
    if (clock.distanceMs(startedWallMs) < NEAR_MS) return true
    return last !== undefined && pairs.some((pair) => Math.abs(startOf(pair) - startOf(last)) < NEAR_MS)
  })
}

/** All but units. */
function toldParts({ inputs, facts, lines, runs, clock }: Axis): Part[] {
  const { originMs } = facts
  const { bootId, events = [] } = inputs
  const phases = phaseParts(lines, inputs.phases)
  const announced = new Set(phases.map(({ name }) => name))
  const reported = reportedParts(events, bootId, { clock, originMs })
  // What an engine says is about the present boot, but it knows names.
  const engine = (inputs.containers ?? []).map(({ id, name, startedAt }) => ({
    id,
    name,
    startedAt: inputs.live ? startedAt : '',
  }))
  return withParents([
    ...runs.flatMap((run) => cloudInitParts(run, clock)),
    ...phases,
    // The recorder keeps what the journal says, too: once is enough.
    ...reported.filter(({ source, name }) => source !== 'phase' || !announced.has(name)),
    ...containerParts({ lines, events, containers: engine, bootId }, clock, originMs),
  ])
}

/** A phase that ran within a script of cloud-init is a part of it. */
function withParents(parts: readonly Part[]): Part[] {
  const scripts = parts.filter(
    ({ source, name }) => source === 'cloud-init' && /\/(?:config-)?(?:scripts|runcmd|bootcmd)/.test(name),
  )
  return parts.map((part) => {
    if (part.source !== 'phase' && part.source !== 'provision') return part
    const script = scripts.find(
      ({ startedMs, endedMs }) =>
        part.startedMs >= startedMs && (part.endedMs ?? part.startedMs) <= (endedMs ?? Infinity),
    )
    return script ? { ...part, parent: script.name } : part
  })
}

function historiesOf({ inputs, facts, lines }: Axis, { untilMs }: Span): Map<string, UnitHistory> {
  const histories = unitHistories(lines, untilMs)
  if (!inputs.live) return histories
  return withLiveUnits(histories, inputs.units ?? '', { originMs: facts.originMs, untilMs })
}

function assemble(axis: Axis, { parts, histories, ties }: Pick<Evidence, 'parts' | 'histories' | 'ties'>): Timeline {
  const { inputs, clock, facts, lastMs } = axis
  const { live } = inputs
  const finished = facts.finishedMs !== undefined
  const { steps, leftOut } = toSteps(parts, { clock, lastMs, live, finished })
  const startMs = parts.reduce((first, part) => Math.min(first, part.startedMs), 0)
  const endMs = parts.reduce((last, part) => Math.max(last, part.endedMs ?? part.startedMs), facts.finishedMs ?? lastMs)
  // Where nobody tells of steps, their absence is no silence.
  const gaps = parts.length > 0 ? findGaps(parts, startMs, endMs) : []
  return {
    schema: 'diagd.boot-timeline/1',
    bootId: inputs.bootId.replaceAll('-', ''),
    state: stateOf(axis, steps),
    startedAt: clock.toWall(0),
    wallClockMs: endMs - startMs,
    sumMs: sumOf(steps),
    findings: findDisasters({ parts, steps, gaps, histories, ties, lastMs, live }),
    gaps,
    overlaps: findOverlaps(parts),
    clockSteps: clock.steps,
    sources: sourceStates(inputs, axis.lines, steps),
    steps,
    stepsLeftOut: leftOut,
  }
}

/** Without systemd and a journal nobody tells when everything was up. */
function stateOf({ inputs, facts, lines }: Axis, steps: readonly Step[]): Timeline['state'] {
  if (facts.finishedMs !== undefined) return inputs.live ? 'up' : 'over'
  if (lines.length === 0 && !steps.some(({ source }) => source === 'systemd')) return 'unknown'
  return inputs.live ? 'starting' : 'cut'
}
