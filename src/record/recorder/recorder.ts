/** The recorder: followers, the clock, diagd's own words and what others post, masked and put into the store. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BundleRedactor } from '../../redact/service.ts'
import { ownType } from '../classify/own.ts'
import type { PhasePatterns } from '../classify/phase.ts'
import { monotonicNowMs, watchClock } from './clock.ts'
import { followCloudInit, type CloudInitHealth } from '../cloud-init/follow.ts'
import type { EventStore, NewEvent, RecorderHealth } from '../events/event.ts'
import type { FollowSink } from '../events/follow-writer.ts'
import type { JournalPlace } from '../journal/files.ts'
import { followJournal, type JournalHealth } from '../journal/follow.ts'
import { auditEvent, type AuditFields } from './audit.ts'
import { bootFinder } from './boots.ts'
import { LIFE_CURSOR, startWords, stopWords, type Moment } from './life.ts'
import { createMask } from './mask.ts'
import { createQueue } from './queue.ts'

export interface RecorderOptions {
  readonly store: EventStore
  /** undefined when the configuration of the mask cannot be understood: then no words are kept. */
  readonly redactor: Pick<BundleRedactor, 'whole'> | undefined
  /** As /proc/sys/kernel/random/boot_id writes it. */
  readonly bootId: string
  readonly version: string
  /** The PATH on which journalctl is looked for. */
  readonly path: string
  /** Before the paths of what is followed; '' but in tests and where the host's files are mounted elsewhere. */
  readonly root: string
  /** A folder of journal files instead of the machine's. */
  readonly journalDirectory?: string
  readonly phases?: PhasePatterns
  readonly log: { warn(fields: object, message: string): void }
}

interface RecorderFullHealth {
  readonly store: RecorderHealth
  readonly journal?: JournalHealth
  readonly cloudInit?: CloudInitHealth
  /** Events that could not be kept, and such whose words could not be masked, since diagd started. */
  readonly dropped: number
  readonly withheld: number
}

/** Without what the recorder knows itself. */
type OwnEvent = Omit<NewEvent, keyof Moment> & Partial<Moment>

export interface Recorder {
  /** For whoever follows something besides it: masks, and stores. */
  readonly sink: FollowSink
  /** Says that diagd runs, and begins to follow. Never rejects: a store that is off is a matter of health. */
  start(): Promise<void>
  /** Resolves with the event's id once a `kill -9` cannot lose it any more; rejects with the reason when it is not kept. */
  add(event: OwnEvent): Promise<number>
  /** A line of the audit log; nobody waits for it. */
  audit(fields: AuditFields): void
  /** What does not work now; what is new, and what is well again, becomes an event. */
  problems(problems: readonly { readonly key: string; readonly message: string }[]): void
  health(): RecorderFullHealth
  /** Ends all followers, says that it stopped, and leaves the store open. Takes 5 s at most. */
  close(): Promise<void>
}

/** Nobody waits longer for a store that does not answer. */
const LAST_WORDS_MS = 2000

export function createRecorder(options: RecorderOptions): Recorder {
  const { store, redactor, bootId, version, path, root, journalDirectory, phases, log } = options
  const mask = createMask(redactor)
  const now = (): Moment => ({ timeMs: Date.now(), monotonicMs: monotonicNowMs(), bootId })
  const sink: FollowSink = {
    cursor: (name) => store.cursor(name),
    append: async (events, cursor) => store.append(await mask.events(events), cursor),
  }
  let droppedBefore = 0
  const queue = createQueue(async (events) => {
    const more = queue.dropped > droppedBefore ? [droppedEvent(queue.dropped - droppedBefore, now())] : []
    const ids = await store.append(await mask.events([...more, ...events]))
    if (more.length > 0) droppedBefore = queue.dropped
    return ids.slice(more.length)
  })
  const add = (event: OwnEvent) => queue.add({ ...now(), ...event })
  /** What is lost is counted by the queue, and told with the next that is not. */
  const note = (event: OwnEvent) => void add(event).catch(() => {})
  const place: JournalPlace = journalDirectory === undefined ? { root } : { directory: journalDirectory }
  const closing = new AbortController()
  let journal: ReturnType<typeof followJournal> | undefined
  let cloudInit: ReturnType<typeof followCloudInit> | undefined
  let clock: ReturnType<typeof watchClock> | undefined
  let known = new Map<string, string>()

  const lastWords = async () => {
    const { events, cursor } = stopWords(now(), version)
    await queue.idle()
    await sink.append(events, cursor)
  }
  return {
    sink,
    async start() {
      try {
        const { events, cursor } = startWords(await store.cursor(LIFE_CURSOR), now(), version)
        await sink.append(events, cursor)
      } catch (error) {
        log.warn({ reason: (error as Error).message }, 'the start of diagd could not be recorded')
      }
      clock = watchClock(bootId, note)
      journal = followJournal({ sink, path, place, now, ...(phases ? { phases } : {}) })
      // The log of cloud-init does not tell boots apart; the journal knows which there were.
      void journal.caughtUp.then(() => {
        if (closing.signal.aborted) return
        const file = join('/', root, 'var/log/cloud-init.log')
        cloudInit = followCloudInit({ sink, file, bootAt: bootFinder(store, bootId) })
      })
    },
    add,
    audit: (fields) => note(auditEvent(fields)),
    problems(problems) {
      const present = new Map(problems.map(({ key, message }) => [key, message]))
      for (const [key, message] of present)
        if (known.get(key) !== message) note({ ...ownType('diagd.degraded'), subject: key, message })
      for (const [key, message] of known)
        if (!present.has(key)) note({ ...ownType('diagd.recovered'), subject: key, message: `no more: ${message}` })
      known = present
    },
    health: () => ({
      store: store.health(),
      ...(journal ? { journal: journal.health() } : {}),
      ...(cloudInit ? { cloudInit: cloudInit.health() } : {}),
      dropped: queue.dropped,
      withheld: mask.withheld,
    }),
    async close() {
      closing.abort()
      clock?.close()
      await Promise.all([journal?.close(), cloudInit?.close()])
      const words = lastWords().catch((error: unknown) => {
        log.warn({ reason: (error as Error).message }, 'the end of diagd could not be recorded')
      })
      const late = new AbortController()
      await Promise.race([words, delay(LAST_WORDS_MS, undefined, { signal: late.signal }).catch(() => {})])
      late.abort()
    },
  }
}

function droppedEvent(count: number, moment: Moment): NewEvent {
  const message = `${count} events were lost: they could not be stored`
  return { ...moment, ...ownType('diagd.events-dropped'), subject: '', message, detail: { events: count } }
}
