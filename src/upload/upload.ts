/**
 * The contract of uploads: what is due, what becomes of it, and who does what. Types only.
 *
 *     schedule ┐                                       ┌ child process: SDK, parts, tries → object storage
 *     triggers ┼→ outbox (uploads.db) → runner, one at a time ─ bundle, streamed ┘
 *     request  ┘          └ GET /uploads, events, metrics
 *
 * `outbox/` keeps what is due and what became of it; `due/` decides when something is (schedule, triggers); `runner/` takes the next, makes the
 * bundle and hands it to `send/`, which starts one child for each try and tells how it ended. `target/` knows addresses, names and what differs between providers.
 */
import type { BundleRequest, BundleResult, Limits, Sink } from '../collect/types.ts'
import type { Recipients } from '../config/recipients.ts'
import type { UploadsConfig } from '../config/uploads.ts'
import type { NewEvent } from '../record/events/event.ts'
import type { StoreThread } from '../record/store/thread.ts'

/** Why a bundle is sent. `request`: somebody asked for it; `first-after-crash`: the boot before ended without a word. */
export const TRIGGERS = [
  'schedule',
  'request',
  'container',
  'unit',
  'oom-kill',
  'slow-boot',
  'failed-boot',
  'unclean-end',
  'pressure',
  'disk',
  'shutdown',
] as const
export type Trigger = (typeof TRIGGERS)[number]

/** What is wished for when something is due. */
export interface UploadWish {
  readonly trigger: Trigger
  /** What happened, for people: `container web died with exit code 137`. Masked. */
  readonly reason: string
  /** Parameters of the bundle, as `GET /debug-package` takes them: `since`, `around`, `only`, `limits`. */
  readonly parameters: Readonly<Record<string, string>>
  /** Of the moment that it is about, milliseconds since 1970. */
  readonly timeMs: number
  /** Not before: the jitter of a schedule; the last lines of what broke. */
  readonly notBeforeMs?: number
}

/** `waiting`: for its time, for a person who downloads, or for the next try. `gave-up`: no more tries. */
export type UploadState = 'waiting' | 'running' | 'uploaded' | 'gave-up' | 'dropped'

/** What went wrong, in a closed set; each has a page in docs/uploads.md that says what to do. */
export const FAILURES = [
  'credentials-missing',
  'credentials-expired',
  'forbidden',
  'no-bucket',
  'clock-skew',
  'slow-down',
  'server-error',
  'unreachable',
  'connection-lost',
  'stalled',
  'tls',
  'too-large',
  'bad-answer',
  'not-verified',
  'refused-by-control-plane',
  'bundle-failed',
  'killed',
  'internal',
] as const
export type FailureKind = (typeof FAILURES)[number]

export interface UploadFailure {
  readonly kind: FailureKind
  /** A sentence for people; no secret is in it. */
  readonly message: string
  /** Trying again as it is cannot help: somebody has to change something. It is tried again all the same, but seldom. */
  readonly permanent: boolean
  /** The server asks to wait so long. */
  readonly retryAfterMs?: number
}

/** A row of uploads.db, and of `GET /uploads`. Times are milliseconds since 1970. */
export interface UploadRecord {
  readonly id: number
  readonly trigger: Trigger
  readonly reason: string
  readonly parameters: Readonly<Record<string, string>>
  /** Of the moment that it is about. */
  readonly timeMs: number
  readonly createdMs: number
  readonly bootId: string
  readonly state: UploadState
  /** Those that were begun; one that diagd itself broke off (it was stopped, something graver came) does not count. */
  readonly tries: number
  /** When it is tried, or tried again. */
  readonly nextTryMs?: number
  readonly lastError?: UploadFailure
  readonly startedMs?: number
  readonly finishedMs?: number
  readonly bundleId?: string
  /** Of the object: in the bucket, or where the control plane said. It stays the same from try to try: nothing is there twice. */
  readonly key?: string
  readonly sizeBytes?: number
  /** Of the bytes that were sent, hexadecimal. */
  readonly sha256?: string
  /** A HEAD of the object told the size (and, where the provider keeps it, the checksum) that was sent. */
  readonly verified?: boolean
  /** Of a multipart upload that may still lie about: it is aborted at the next start, before the next try, and when there is none. */
  readonly multipartId?: string
  /** Of the bundle: whole or partial. */
  readonly outcome?: 'whole' | 'partial'
}

/** One try, as the child gets it. */
export interface SendJob {
  readonly target: UploadsConfig['target']
  /** With {node}, {date}, {name} filled in. */
  readonly key: string
  readonly contentType: string
  /** `x-amz-meta-…`: node, boot id, trigger, bundle id. Masked, ASCII. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** More than this the bundle cannot become: parts are made large enough for it. undefined: nobody knows. */
  readonly mostBytes: number | undefined
  /** Of an earlier try that may still lie about. */
  readonly stale?: Stale | undefined
  /** A second, of the whole child. */
  readonly bandwidthBytesPerSecond?: number | undefined
  /** The oldest are deleted once this one has arrived. */
  readonly retention?: Retention | undefined
}

export interface Stale {
  readonly key: string
  readonly multipartId: string
}

export interface Retention {
  /** Whose bundles these are: the name that {node} stands for. */
  readonly node: string
  readonly maxBundles: number
}

export interface Sent {
  readonly key: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly verified: boolean
  /** For people: why it could not be verified, what was deleted or not, what of an earlier try may still lie about. */
  readonly notes?: readonly string[]
}

/** A child that runs. */
export interface Sending {
  /** Where the bundle goes; rejects when the child gives up. Bounded: a slow target is a slow sink. */
  readonly sink: { write(chunk: Buffer): Promise<void> }
  /** The stream has come to its end: what is left is sent, completed and verified. Never rejects. `outcome` becomes metadata where the object goes as one. */
  end(outcome?: 'whole' | 'partial'): Promise<{ readonly sent: Sent } | { readonly failure: UploadFailure }>
  /** The bundle broke off: nothing of it stays at the target. */
  abort(reason: string): Promise<void>
  /** Of a multipart upload, once it is known: to be kept before the first part is sent. */
  readonly onMultipart: (tell: (multipartId: string) => Promise<void>) => void
  readonly sentBytes: number
}

/** What the daemon holds. */
export interface Uploads {
  start(): void
  /** Puts it into the outbox; `shutdown` before all that waits. @throws StoreError when it cannot be kept. */
  request(wish: UploadWish): Promise<UploadRecord>
  list(filter: { readonly limit: number; readonly state?: UploadState | undefined }): Promise<readonly UploadRecord[]>
  get(id: number): Promise<UploadRecord | undefined>
  /** How many bundles a trigger asked for from then on (milliseconds since 1970), whatever became of them, and when the last time. */
  fired(trigger: Trigger, sinceMs: number): Promise<{ readonly count: number; readonly lastMs?: number | undefined }>
  /** Resolves when nothing more becomes of it, or when the signal aborts: with what it is then. undefined: there is none. */
  settled(id: number, signal: AbortSignal): Promise<UploadRecord | undefined>
  health(): UploadsHealth
  counts(): UploadCounts
  /** What runs is broken off within 2 s, and waits for the next start; the bundle of a shutdown gets 10 s to arrive. @param mostMs 13 s without it. */
  close(mostMs?: number): Promise<void>
}

/** Since diagd was started, but for what is said otherwise. */
export interface UploadCounts {
  /** Tries. */
  readonly started: number
  readonly uploaded: number
  /** Tries, by what went wrong. */
  readonly failed: Readonly<Record<FailureKind, number>>
  readonly gaveUp: number
  readonly dropped: number
  /** Runs of the schedule, for the one before was not done. */
  readonly skipped: number
  /** Bytes of bundles handed to the child, whatever became of them. */
  readonly sentBytes: number
  /** Now. */
  readonly waiting: number
  /** Of the last that arrived, also before the start; milliseconds since 1970. */
  readonly lastUploadedMs?: number | undefined
}

export interface UploadsHealth {
  readonly state: 'starting' | 'ready' | 'off'
  readonly waiting: number
  readonly running: boolean
  /** Of the next that waits. */
  readonly nextTryMs?: number
  /** A person downloads a bundle: nothing is begun, and what runs takes no more bytes; 10 minutes at most. */
  readonly pausedSinceMs?: number
  /** Of the last that arrived. */
  readonly lastUploadedMs?: number
  readonly nextScheduledMs?: number
  /** For people. */
  readonly problems: readonly string[]
}

/** How a child is started: src/upload/send/, with the environment bound to it. */
export type StartSending = (job: SendJob) => Sending | Promise<Sending>

/** How what is left is removed: src/upload/send/, too. Gives for each why it could not. */
export type AbortStale = (
  stales: readonly Stale[],
  signal: AbortSignal,
) => Promise<readonly (UploadFailure | undefined)[]>

/** The engine of bundles, as far as uploads need it; an `AppDeps` of src/http is one. */
export interface UploadEngine {
  readonly collectorIds: readonly string[]
  readonly bundleId: (nowMs: number, wish: BundleRequest) => string
  readonly collect: (bundle: {
    readonly request: BundleRequest
    readonly bundleId: string
    readonly sink: Sink
    readonly signal: AbortSignal
  }) => Promise<Pick<BundleResult, 'outcome'>>
}

/** What `createUploads` of src/upload/uploads.ts is given. */
export interface UploadsOptions {
  readonly config: UploadsConfig
  /** Of the configuration: of every bundle. */
  readonly limits: Limits
  readonly recipients: Recipients
  /** Where uploads.db is. */
  readonly stateDir: string
  readonly node: string
  readonly bootId: string
  readonly thread: StoreThread
  /** Bundles that persons download; none of them is taken. */
  readonly places: { readonly running: number; idle(): Promise<void> }
  /** Asked for once, when uploads start. */
  readonly engine: () => UploadEngine | Promise<UploadEngine>
  /** The cap of the bandwidth and so on are bound to it already. */
  readonly startSending: StartSending
  readonly abortStale: AbortStale
  /** Takes events; nobody waits for them. */
  readonly tell: (event: NewEvent) => void
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
}
