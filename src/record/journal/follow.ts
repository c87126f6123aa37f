/** Follows the journal by cursor: `journalctl` as a child, started again whenever it ends, for as long as diagd runs. */
import { setTimeout as delay } from 'node:timers/promises'
import { startChild, type Child } from '../../sources/children.ts'
import { findCommand } from '../../sources/lookup.ts'
import { ownType } from '../classify/own.ts'
import type { PhasePatterns } from '../classify/phase.ts'
import type { NewEvent } from '../events/event.ts'
import { FollowWriter, type FollowSink } from '../events/follow-writer.ts'
import { beginningWithout, followArguments, readArguments, type Beginning, type JournalCommand } from './command.ts'
import { decodeState, encodeState, type JournalState } from './cursor.ts'
import { backfillSinceMs, journalFiles, type JournalFiles, type JournalPlace } from './files.ts'
import { JournalIntake } from './intake.ts'

export interface JournalFollowOptions {
  readonly sink: FollowSink
  /** The PATH on which journalctl is looked for. */
  readonly path: string
  readonly place: JournalPlace
  readonly phases?: PhasePatterns
  /** A moment of this boot, for what the follower itself has to tell. */
  readonly now: () => Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>
}

export interface JournalHealth {
  /** `absent`: there is no journal; `waiting`: journalctl ended, or is not there, and is started again later. */
  readonly state: 'starting' | 'following' | 'absent' | 'waiting' | 'closed'
  /** Lines that were looked at, and the events they made, since diagd started. */
  readonly lines: number
  readonly events: number
  /** Entries that were gone before they were read, as far as they can be counted. */
  readonly missingEntries: number
  /** When the newest entry that was read came, milliseconds since 1970. */
  readonly newestMs?: number
  /** For people. */
  readonly problem?: string
}

export interface JournalFollower {
  health(): JournalHealth
  /** Resolves once what the journal held at the start was read, or there is none. */
  readonly caughtUp: Promise<void>
  close(): Promise<void>
}

const JOURNAL_CURSOR = 'journal'
/** How long it waits to start journalctl again: doubled with each failure, and from the start after a good run. */
const RETRY_MS = { first: 1000, most: 60_000 }
const GOOD_RUN_MS = 60_000
/** More events than that wait for the store: then journalctl waits too. */
const MOST_WAITING = 2000

/** Starts at once, in the background. */
export function followJournal(options: JournalFollowOptions): JournalFollower {
  return new Follower(options)
}

class Follower implements JournalFollower {
  readonly caughtUp: Promise<void>
  readonly #options: JournalFollowOptions
  readonly #closing = new AbortController()
  readonly #catchUp = Promise.withResolvers<void>()
  readonly #running: Promise<void>
  #intake: JournalIntake | undefined
  #before = { lines: 0, events: 0, missing: 0 }
  #state: JournalHealth['state'] = 'starting'
  #problem: string | undefined
  #storeProblem: string | undefined

  constructor(options: JournalFollowOptions) {
    this.#options = options
    this.caughtUp = this.#catchUp.promise
    this.#running = this.#run()
  }

  health(): JournalHealth {
    const { lines = 0, events = 0, missing = 0, newestMs = 0 } = this.#intake ?? {}
    const problem = this.#storeProblem ?? this.#problem
    return {
      state: this.#state,
      lines: this.#before.lines + lines,
      events: this.#before.events + events,
      missingEntries: this.#before.missing + missing,
      ...(newestMs > 0 ? { newestMs } : {}),
      ...(problem === undefined ? {} : { problem }),
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
    this.#state = 'closed'
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    let waitMs = RETRY_MS.first
    while (!signal.aborted) {
      const beganMs = performance.now()
      try {
        await this.#once()
      } catch (error) {
        if (signal.aborted) break
        this.#state = 'waiting'
        this.#problem = (error as Error).message
      }
      this.#catchUp.resolve()
      if (performance.now() - beganMs > GOOD_RUN_MS) waitMs = RETRY_MS.first
      await delay(this.#state === 'absent' ? RETRY_MS.most : waitMs, undefined, { signal }).catch(() => {})
      waitMs = Math.min(waitMs * 2, RETRY_MS.most)
    }
    this.#catchUp.resolve()
  }

  /** Reads on, and follows. Throws when journalctl cannot run, and when it ends. */
  async #once(): Promise<void> {
    const { path, place, sink } = this.#options
    const state = decodeState(await sink.cursor(JOURNAL_CURSOR))
    const files = await journalFiles(place)
    if (files.readable.length === 0) return this.#noJournal(state, files)
    const file = findCommand('journalctl', path)
    if (file === undefined) throw new Error('journalctl is not installed')
    const command = { file, path, place, signal: this.#closing.signal }
    await this.#withIntake(state, files.closed === 0, async (intake, writer) => {
      const beginning = await this.#readOn(command, files, intake, writer)
      await writer.flush()
      this.#catchUp.resolve()
      intake.expectAgain()
      await this.#read(command, followArguments(place, beginning), intake, writer)
      throw new Error('journalctl ended')
    })
  }

  /** All that is there after the last time, or what is looked at the first time; gives where to follow from. */
  async #readOn(
    command: JournalCommand,
    { readable }: JournalFiles,
    intake: JournalIntake,
    writer: FollowWriter,
  ): Promise<Beginning> {
    const { place } = command
    const { cursor } = intake
    const first = cursor === undefined ? { sinceMs: backfillSinceMs(readable, Date.now()) } : { cursor }
    await this.#read(command, readArguments(place, first), intake, writer)
    if (cursor !== undefined && !intake.heard) {
      const beginning = await beginningWithout(cursor, command)
      if (beginning !== 'oldest') return beginning
      await this.#read(command, readArguments(place, beginning), intake, writer)
    }
    return intake.cursor === undefined ? first : { cursor: intake.cursor }
  }

  /** Fine, and said once: in a container, or with another logger. */
  async #noJournal(state: JournalState, { closed }: JournalFiles): Promise<void> {
    this.#state = 'absent'
    this.#problem =
      closed > 0
        ? 'the journal needs root or membership of the group systemd-journal'
        : 'there is no journal: no journal file under /run/log/journal or /var/log/journal'
    if (state.absent === true) return
    const event = { ...ownType('journal.absent'), ...this.#options.now(), subject: '', message: this.#problem }
    const value = encodeState({ ...state, absent: true })
    await this.#options.sink.append([event], { name: JOURNAL_CURSOR, value })
  }

  async #withIntake(
    state: JournalState,
    complete: boolean,
    work: (intake: JournalIntake, writer: FollowWriter) => Promise<void>,
  ): Promise<void> {
    const { sink, phases } = this.#options
    const { signal } = this.#closing
    const { absent: _, ...known } = state
    const intake = new JournalIntake({ state: known, complete, ...(phases ? { phases } : {}) })
    const onTrouble = (message: string | undefined) => {
      this.#storeProblem = message
    }
    const writer = new FollowWriter({ name: JOURNAL_CURSOR, sink, take: () => intake.take(), onTrouble })
    this.#intake = intake
    const stop = () => void writer.close()
    signal.addEventListener('abort', stop)
    try {
      await work(intake, writer)
    } finally {
      // Also what came with the last words of journalctl is stored before it is started again.
      await (signal.aborted ? writer.close() : writer.flush())
      signal.removeEventListener('abort', stop)
      const { lines, events, missing } = this.#before
      this.#before = {
        lines: lines + intake.lines,
        events: events + intake.events,
        missing: missing + intake.missing,
      }
      this.#intake = undefined
    }
  }

  /** Until journalctl ends. Throws when it fails, or was told to end. */
  async #read(command: JournalCommand, args: readonly string[], intake: JournalIntake, writer: FollowWriter) {
    const { file, path, signal } = command
    signal.throwIfAborted()
    const child = await startChild(file, args, path)
    this.#state = 'following'
    this.#problem = undefined
    const stop = () => void child.signal('SIGKILL')
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    try {
      for await (const chunk of child.stdout) {
        intake.feed(chunk as Buffer)
        if (intake.waiting > MOST_WAITING) await writer.flush()
        else if (intake.waiting > 0) writer.soon('events')
        else if (intake.moved) writer.soon('place')
      }
      await child.exited
    } finally {
      signal.removeEventListener('abort', stop)
      await child.destroy()
    }
    if (child.exit?.code !== 0) throw new Error(endOf(child))
  }
}

function endOf({ exit, kept }: Child): string {
  const said = kept.text().trim().split('\n')[0]?.slice(0, 300) ?? ''
  const how = exit?.signal ? `ended by ${exit.signal}` : `exited with code ${exit?.code ?? 'unknown'}`
  return `journalctl ${how}${said === '' ? '' : `: ${said}`}`
}
