/**
 * The boot timeline: what one boot was busy with, from every source that tells. The shape is that of boot/timeline.json
 * (docs/schema/boot-timeline.schema.json). Times are milliseconds since the kernel started (CLOCK_MONOTONIC), which no
 * step of the wall clock moves; in a container, since the first thing that is known.
 */

export type StepSource = 'kernel' | 'systemd' | 'cloud-init' | 'phase' | 'provision' | 'container'

/**
 * `running`: begun, not ended, and the boot goes on. `never-ended`: begun, not ended, and what could have ended it is over.
 * `restarted`: it took more than one start, or was stopped and started again.
 */
export type StepStatus = 'done' | 'failed' | 'running' | 'never-ended' | 'restarted'

export interface Step {
  readonly name: string
  readonly source: StepSource
  readonly status: StepStatus
  readonly startedMs: number
  /** null while it runs, and when nobody knows. */
  readonly endedMs: number | null
  readonly durationMs: number | null
  /** The wall clock then, as it went then: UTC. */
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** A sentence or less: exit status, number of starts, what it was told. '' where there is nothing to say. */
  readonly detail: string
  /** Name of the step that this one is a part of; its time is not counted twice. */
  readonly parent?: string
}

export interface Gap {
  readonly startedMs: number
  readonly endedMs: number
  readonly durationMs: number
  /** Names of the steps that had begun and not ended. */
  readonly waitedFor: readonly string[]
}

export interface Overlap {
  readonly steps: readonly [string, string]
  readonly startedMs: number
  readonly durationMs: number
}

type FindingId = 'started-before-installed' | 'restart-took-down' | 'never-ended' | 'waited-for-network'

export interface Finding {
  readonly id: FindingId
  /** For people: what happened, when, to whom. */
  readonly title: string
  /** Names of the steps it is about. */
  readonly steps: readonly string[]
  readonly startedMs: number
}

export interface ClockStep {
  readonly atMs: number
  /** By how much the wall clock was moved: forward when positive. */
  readonly byMs: number
  /** The machine slept, and the clock was right. */
  readonly slept: boolean
}

export interface SourceState {
  readonly source: StepSource | 'journal'
  readonly present: boolean
  /** What was found, or why nothing. */
  readonly detail: string
}

export interface Timeline {
  readonly schema: 'diagd.boot-timeline/1'
  readonly bootId: string
  /** `starting`: not everything is up yet. `up`: everything came up. `over`: the boot has ended; `cut`: before all was up. `unknown`: nobody tells. */
  readonly state: 'starting' | 'up' | 'over' | 'cut' | 'unknown'
  /** The wall clock at 0, as it went at the first thing that is known. */
  readonly startedAt: string | null
  /** From the start of the boot to the last thing that belongs to it. */
  readonly wallClockMs: number
  /** Durations of all steps that are not part of another one. */
  readonly sumMs: number
  readonly findings: readonly Finding[]
  readonly gaps: readonly Gap[]
  readonly overlaps: readonly Overlap[]
  readonly clockSteps: readonly ClockStep[]
  readonly sources: readonly SourceState[]
  /** In the order in which they began. */
  readonly steps: readonly Step[]
  /** Steps left out because there are too many. */
  readonly stepsLeftOut: number
}

/** What an API or a program reported; a stored event is one. */
export interface ReportedEvent {
  readonly timeMs: number
  readonly monotonicMs?: number
  readonly bootId: string
  readonly type: string
  readonly subject: string
  readonly message: string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** As the engine writes it. */
export interface ContainerStart {
  readonly id: string
  readonly name: string
  readonly startedAt: string
}

/** Of messages of the journal: a group `phase` in each, and `status` for an end. As the recorder has them (src/record/classify/phase.ts). */
export interface PhasePatterns {
  readonly start: RegExp
  readonly end: RegExp
}

/** A moment by both clocks, milliseconds. */
export interface ClockPair {
  readonly wallMs: number
  readonly monotonicMs: number
}

export interface TimelineInputs {
  /** With dashes or without. */
  readonly bootId: string
  /** The machine is in this boot now: what systemd and the engines say is about it. */
  readonly live: boolean
  /** The last that is known of this boot: now, or the last entry of its journal. */
  readonly last?: ClockPair
  /** `journalctl --output=json` of this boot, in any order. */
  readonly journal?: string
  /** `systemctl show` of the manager; of the present boot. */
  readonly manager?: string
  /** `systemctl show` of all units; of the present boot, but who requires whom is taken for other boots, too. */
  readonly units?: string
  /** Lines of /var/log/cloud-init.log, of any number of boots. */
  readonly cloudInit?: string
  /** Of this boot and others. */
  readonly events?: readonly ReportedEvent[]
  readonly containers?: readonly ContainerStart[]
  readonly phases?: PhasePatterns
  /** Why a source was not asked, or did not answer. */
  readonly absent?: Partial<Record<SourceState['source'], string>>
}
