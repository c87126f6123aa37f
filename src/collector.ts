/**
 * The contract of a collector: types only.
 *
 * A collector is a plain object that yields descriptions of what to gather (artifacts). It does no I/O of
 * its own: the kit it is given looks and describes, the engine opens, limits, masks, times and archives.
 * A drop-in in `/etc/diagd/collectors.d/` is the same object and imports nothing.
 */

/** The order of the bundle: small and decisive first, so that a download cut half-way still holds what matters. */
export type Tier = 'facts' | 'state' | 'logs' | 'bulk'

/** How an entry ended. A closed set; every outcome but `ok` carries a sentence. */
export type Outcome = 'ok' | 'partial' | 'skipped' | 'failed' | 'timeout' | 'withheld'

/** What has to be there before asking makes sense. Absent → `skipped` with the reason, never `failed`. */
export interface Needs {
  /** Commands to be found on the fixed PATH; all of them. */
  command?: string | readonly string[]
  /** Paths that have to exist; all of them. */
  file?: string | readonly string[]
  /** A systemd unit that has to be active. Known without D-Bus, so asking activates nothing. */
  unit?: string
  /** Kernel modules, loaded or built in; one of them is enough. Asking loads none. */
  module?: string | readonly string[]
}

export interface Collector {
  /** One line for people: what this gathers. */
  readonly title: string
  /** Where its artifacts stand in the bundle unless one says otherwise. */
  readonly tier: Tier
  /** Collected only when `--only` names it: an expensive question. */
  readonly onDemand?: boolean
  readonly needs?: Needs
  collect(kit: Kit): AsyncIterable<Artifact> | Iterable<Artifact>
}

/** A description of one entry (or, for globs, of several). The modifiers return the same artifact. */
export interface Artifact {
  /** Path under the collector's folder. A trailing `/` names a folder and keeps the source's base name. */
  as(path: string): Artifact
  /** Another place in the bundle's order than the collector's own. */
  in(tier: Tier): Artifact
  needs(needs: Needs): Artifact
  /** Commands: exit codes that count as success besides 0. */
  accept(...exitCodes: readonly number[]): Artifact
  /** Commands: deadline in milliseconds of waiting for the source (time a slow client takes does not count). */
  timeoutMs(limit: number): Artifact
}

export interface JournalQuery {
  /** Offset (`0`, `-1`) or id of a boot. Without it: every boot in the window. */
  boot?: string
  unit?: string
  /** Extra match or filter arguments of journalctl, each one argument: `-k`, `_TRANSPORT=audit`, `--grep=…`. */
  args?: readonly string[]
  /** Only the newest lines, whatever the window says. */
  lastLines?: number
}

/** A span of time in epoch milliseconds; what is recorded in `[sinceMs, untilMs]` is wanted. */
export interface Interval {
  readonly sinceMs: number
  readonly untilMs: number
  /** Why this span is wanted: `window`, `start of this boot`, `end of the previous boot`. */
  readonly reason: string
}

export interface Engine {
  /** `docker` or `podman`. */
  readonly kind: string
  readonly socket: string
  /** `rootful`, `rootless-1000`, `configured`…: tells several engines of one host apart; safe in a path. */
  readonly label: string
  /** Asks the Engine API for a JSON document. Throws with the status and message of a refusal. */
  get(path: string): Promise<unknown>
  /** Describes the raw answer of a GET. */
  entry(path: string): Artifact
  /** Describes the whole log of a container within the window, as CRI text. Whether it has a terminal shows by itself. */
  logs(containerId: string, tty?: boolean): Artifact
}

/** A socket where an engine might listen, and why it was not asked. */
export interface AbsentEngine {
  readonly socket: string
  readonly reason: string
}

/** Something that happened, as it was recorded: what was secret is masked. */
export interface RecordedEvent {
  readonly id: number
  /** Milliseconds since 1970, and since the boot where that is known. */
  readonly timeMs: number
  readonly monotonicMs?: number
  readonly bootId: string
  readonly source: string
  readonly type: string
  readonly level: string
  readonly subject: string
  readonly message: string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** The newest of those that fit. */
export interface RecordedFilter {
  /** This level and graver ones. */
  readonly level?: 'info' | 'warning' | 'error' | 'critical'
  /** `unit` finds `unit.failed`. */
  readonly typePrefix?: string
  /** A boot id, or 0 for this boot, -1 for the one before. */
  readonly boot?: string | number
  /** 1 to 1000. */
  readonly limit: number
}

export interface RecordedEvents {
  /** Newest first. Throws when nothing is recorded, or nobody answers. */
  newest(filter: RecordedFilter): Promise<readonly RecordedEvent[]>
  /** Describes the whole database, as one moment left it. It is handed over as it is: its texts were masked when they were stored. */
  database(): Artifact
  /** Describes the databases that were set aside, damaged or of a newer diagd, as they are. */
  setAside(): Promise<readonly Artifact[]>
}

/** What is wanted of what was measured: a value for each step of a span. */
export interface MeasuredQuery {
  /** Milliseconds since 1970. */
  readonly sinceMs: number
  readonly untilMs: number
  /** Steps begin at its multiples since 1970. */
  readonly stepMs: number
  /** By subject, as metrics.db names them: `{ host: ['load_1'], mount: ['used_bytes'] }`. */
  readonly columns: Readonly<Record<string, readonly string[]>>
  /** Of more mounts, disks, … than this (16 without it), those whose first column reached highest. */
  readonly mostThings?: number
}

export interface Measured {
  readonly series: readonly MeasuredSeries[]
  /** Boots, suspends, a clock that was set: where numbers are missing, and why. */
  readonly marks: readonly MeasuredMark[]
  /** Mounts, disks, … beyond those that were wanted. */
  readonly leftOut: number
}

/** What was measured of the machine, or of one mount, disk, container, … */
export interface MeasuredSeries {
  readonly subject: string
  /** What tells it from others; {} for the machine. */
  readonly labels: Readonly<Record<string, string>>
  /** Where each step begins that has a sample, in order. */
  readonly timesMs: readonly number[]
  /** How many samples each has: its average times that is how much there was in all. */
  readonly samples: readonly number[]
  /** By column; as many as there are times, null where it could not be told. */
  readonly columns: Readonly<Record<string, MeasuredColumn>>
}

export type MeasuredColumn = Readonly<Record<'avg' | 'min' | 'max', readonly (number | null)[]>>

export interface MeasuredMark {
  readonly kind: string
  readonly fromMs: number
  readonly toMs: number
  /** A sentence for people. */
  readonly message: string
}

export interface RecordedMetrics {
  /** What was asked for, milliseconds since 1970. Known at once, other than the intervals, which know of boots. */
  readonly window: { readonly sinceMs: number; readonly untilMs: number }
  /** Throws when nothing is recorded, or nobody answers. */
  range(query: MeasuredQuery): Promise<Measured>
  /** Describes the whole database, as one moment left it. */
  database(): Artifact
  /** Describes the databases that were set aside, damaged or of a newer diagd, as they are. */
  setAside(): Promise<readonly Artifact[]>
}

/** `removed`: the engine has it no more; all there is of it is what was kept. */
export type ContainerState = 'created' | 'running' | 'paused' | 'exited' | 'removed'

/** What diagd knows of a container, also of one that is gone. Texts were masked when they were stored; times are milliseconds since 1970. */
export interface ContainerFacts {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly name: string
  readonly image: string
  /** The label of its engine. Two engines may have a container of the same name. */
  readonly engine: string
  readonly state: ContainerState
  readonly createdMs?: number
  readonly startedMs?: number
  /** When its last run ended. */
  readonly finishedMs?: number
  readonly removedMs?: number
  /** Of its last run. */
  readonly exitCode?: number
  /** It was ended by this signal: asked for over the engine, or told by an exit code above 128. */
  readonly signal?: string
  readonly oomKilled?: boolean
  /** What the engine says of a start that failed. */
  readonly error?: string
  readonly restartCount?: number
  readonly health?: { readonly status: string; readonly log: readonly HealthCheck[] }
  /** The last that was measured of it while it ran. */
  readonly use?: ContainerUse
  readonly logDriver?: string
  /** Why there is no log of it, or not all. */
  readonly logProblem?: string
  /** All that its last run said is kept. */
  readonly logComplete?: boolean
}

export interface HealthCheck {
  readonly startedMs: number
  readonly exitCode: number
  readonly output: string
}

/** As it was at that time; counted since its start. What the machine does not tell is missing. */
export interface ContainerUse {
  readonly timeMs: number
  /** With its cache. */
  readonly memoryBytes?: number
  /** The most it had, with its cache. */
  readonly memoryPeakBytes?: number
  readonly memoryLimitBytes?: number
  /** Processes that the kernel killed in it for want of memory. */
  readonly oomKills?: number
  readonly cpuSeconds?: number
  readonly processes?: number
  readonly threads?: number
}

/** What is kept of its log, and what is not. Lines are lines of CRI text. */
export interface LogFacts {
  /** All that were ever stored. */
  readonly lines: number
  /** What its folder takes on the disk. */
  readonly diskBytes: number
  /** As the lines have it: `2026-11-21T16:47:23.187458123Z`, so that they sort as texts. */
  readonly first?: string
  readonly last?: string
  /** Lines that are not kept: they came too fast; they were the oldest and the room was used up; they could not be masked. */
  readonly dropped: Readonly<Record<'flood' | 'cap' | 'withheld', number>>
  /** Lines after a resumption that may be new ones or known ones: identical, with identical times. They were taken for known. */
  readonly ambiguous: number
}

export interface KeptContainer extends ContainerFacts {
  /** Where it is kept. */
  readonly folder: string
  readonly log: LogFacts
}

export interface KeptLogs {
  /** Those that still exist first, the newest first; none where nobody followed them. Throws when they cannot be read. */
  kept(): Promise<readonly KeptContainer[]>
  /** The engine's own document as it was kept last. Throws when there is none. */
  inspect(container: KeptContainer): Promise<unknown>
  /** Describes its log within the window: what is kept, and what that engine has besides. Without an engine, what is kept. */
  log(container: KeptContainer, engine?: Pick<Engine, 'socket' | 'kind'>): Artifact
}

/** A bundle that was to be sent, and what became of it: as `GET /uploads` shows it. Times are ISO 8601. */
export interface RecordedUpload {
  readonly id: number
  /** `waiting`, `running`, `uploaded`, `gave-up` or `dropped`. */
  readonly state: string
  readonly trigger: string
  readonly reason: string
  readonly tries: number
  readonly nextTry?: string | undefined
  readonly lastError?: { readonly kind: string; readonly message: string; readonly permanent: boolean } | undefined
  /** Of the object, once it is known. */
  readonly key?: string | undefined
}

export interface RecordedUploads {
  /** The newest first: the last hundred, and all that wait. Throws when nothing is sent, or nobody answers. */
  newest(): Promise<readonly RecordedUpload[]>
}

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  /** null when a signal or a deadline ended it. */
  readonly exitCode: number | null
}

/** What a collector looks and describes with. Paths are absolute paths of the host. */
export interface Kit {
  // ── describing ──────────────────────────────────────────────────────────────────────────────────
  /** A command. Split at white space; each `${value}` is one argument, whatever is in it. There is no shell. */
  command(words: TemplateStringsArray, ...values: readonly (string | number | readonly string[])[]): Artifact
  /** One regular file, whole: configuration, /proc and /sys. A link may lead under `within` only. */
  file(path: string, options?: { within?: readonly string[] }): Artifact
  /** Regular files by glob (`*`, `?`, `[…]`, `{a,b}`, `**`), whole; links may not lead out of the literal root. */
  files(...globs: readonly string[]): Artifact
  /** Log files by glob: only what falls into the window, rotations decompressed. */
  logs(...globs: readonly string[]): Artifact
  journal(query?: JournalQuery): Artifact
  /** A value made when its turn comes: pretty JSON. */
  json(path: string, make: () => unknown): Artifact
  text(path: string, make: () => string | Promise<string> | AsyncIterable<string>): Artifact
  /** Something that exists and is not handed over. */
  withheld(path: string, reason: string): Artifact
  /** Something that could not be asked for. */
  skipped(path: string, reason: string): Artifact

  // ── looking, to decide what to describe (bounded, timed, never throws for what is merely absent) ──
  /** Text of a small file (≤ 1 MiB by default), undefined when absent or unreadable. */
  read(path: string, maxBytes?: number): Promise<string | undefined>
  /** Paths that match, sorted; at most 10 000. */
  glob(...globs: readonly string[]): Promise<string[]>
  /** Base names in a folder, sorted; empty when absent or unreadable. */
  list(path: string): Promise<string[]>
  /** Where a link points, undefined when it is none. */
  readlink(path: string): Promise<string | undefined>
  stat(path: string): Promise<FileFacts | undefined>
  /** Blocks and inodes of a mounted file system, asked in a child with a deadline where it may hang. */
  statfs(path: string): Promise<FileSystemFacts>
  /** Runs a command for its bounded output (≤ 4 MiB); throws when it cannot be run or its deadline passes. */
  run(words: TemplateStringsArray, ...values: readonly (string | number | readonly string[])[]): Promise<RunResult>
  /** undefined when everything needed is there, else the reason why not. */
  missing(needs: Needs): Promise<string | undefined>
  engines(): Promise<{ present: readonly Engine[]; absent: readonly AbsentEngine[] }>
  /** The spans that logs are wanted from. */
  intervals(): Promise<readonly Interval[]>
  /** One of systeminformation's calls that read /proc and /sys only. */
  systeminformation(call: 'mem'): Promise<unknown>
  /** What was recorded on this machine, across boots. */
  readonly events: RecordedEvents
  /** What was measured on it, across boots. */
  readonly metrics: RecordedMetrics
  /** What was kept of containers, across their removal. */
  readonly containers: KeptLogs
  /** What was to be sent of it. */
  readonly uploads: RecordedUploads
  readonly host: HostFacts
  /** What the daemon knows about itself. */
  readonly self: SelfFacts
  /** Aborted when nobody wants the bundle any more. */
  readonly signal: AbortSignal
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'socket' | 'fifo' | 'device'
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

export interface FileSystemFacts {
  readonly blockSizeBytes: number
  readonly blocks: number
  readonly blocksFree: number
  readonly blocksAvailable: number
  readonly inodes: number
  readonly inodesFree: number
}

export interface HostFacts {
  readonly node: string
  readonly hostname: string
  readonly bootId: string
  /** Effective user id of the collecting process. */
  readonly uid: number
  /** IANA zone of the host (`/etc/localtime`), whatever the daemon's own environment says. */
  readonly timeZone: string
  /** Whether PID 1 is systemd. */
  readonly systemd: boolean
}

export interface SelfFacts {
  readonly version: string
  readonly nodeVersion: string
  readonly startedAtMs: number
  readonly pid: number
  /** Effective configuration, secrets masked. */
  readonly config: unknown
  readonly health: unknown
  /** Newest lines of the daemon's own log. */
  readonly log: () => string
  /** Units whose state and journal the operator wants to see, besides the well-known ones. */
  readonly watchedUnits: readonly string[]
  /** Regular expressions of phase markers; those of diagd without them. */
  readonly phases?: { readonly start?: string | undefined; readonly end?: string | undefined }
}
