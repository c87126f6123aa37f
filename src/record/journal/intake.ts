/** What journalctl prints → batches of events with the place where to go on. No I/O: the same bytes give the same events, however cut. */
import { classify } from '../classify/classify.ts'
import { ownType } from '../classify/own.ts'
import { PHASE_PATTERNS, type PhasePatterns } from '../classify/phase.ts'
import type { NewEvent } from '../events/event.ts'
import { Flood } from './flood.ts'
import type { Batch } from '../events/follow-writer.ts'
import { isSameEntry, parseCursor, type JournalCursor } from '../../sources/journal-cursor.ts'
import { parseJournalLine, withDashes } from '../../sources/journal-line.ts'
import { encodeState, type JournalState } from './cursor.ts'

export interface IntakeOptions {
  /** Where the last one left off; the first line that comes is that entry again, if the journal still has it. */
  readonly state: JournalState
  readonly phases?: PhasePatterns
  /** All files of the journal can be read: then a gap in the numbers of entries is a loss. */
  readonly complete: boolean
}

/** A field of 4 KiB is the most that journalctl writes; far above that it is no line. */
const MAX_LINE_BYTES = 1024 * 1024
const MAX_BOOTS = 8

/**
 * What a line has to have to be looked at more closely; quotes in fields are escaped, so no message can pretend.
 * One test of 1 µs spares most lines the parser. The numbers are `PHASE ` in a message that is no plain text.
 */
const WORTH_A_LOOK =
  /"_TRANSPORT":"(?:kernel|driver)"|"_PID":"1"|"MESSAGE_ID":|"_SYSTEMD_UNIT":"(?:docker|containerd|chronyd?|systemd-timesyncd)\.service"|PHASE (?:START|END):|80,72,65,83,69,32/
const CURSOR = /"__CURSOR":"([^"]+)"/

export class JournalIntake {
  lines = 0
  events = 0
  /** Entries that are known to be lost. */
  missing = 0
  /** Lines that were too long to be looked at. */
  tooLong = 0
  /** When the newest entry came, milliseconds since 1970. */
  newestMs = 0
  /** Any entry came, a known one or a new one. */
  heard = false
  readonly #options: IntakeOptions
  readonly #worthALook: (line: string) => boolean
  readonly #flood = new Flood()
  #open: Buffer = NOTHING
  #skipping = false
  #state: JournalState
  /** Of the state; undefined before the first entry ever. */
  #last: JournalCursor | undefined
  /** The first line may be the last one again. */
  #resuming: boolean
  #waiting: NewEvent[] = []
  #moved = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#state = options.state
    this.#last = parseCursor(options.state.cursor ?? '')
    this.#resuming = this.#last !== undefined
    const { start, end } = options.phases ?? PHASE_PATTERNS
    const usual = start === PHASE_PATTERNS.start && end === PHASE_PATTERNS.end
    this.#worthALook = usual ? (line) => WORTH_A_LOOK.test(line) : () => true
  }

  /** Events that wait to be taken, sums included. */
  get waiting(): number {
    return this.#waiting.length + (this.#flood.holds ? 1 : 0)
  }

  get moved(): boolean {
    return this.#moved
  }

  /** Of the last entry that was looked at. */
  get cursor(): string | undefined {
    return this.#state.cursor
  }

  /** The bytes that come now begin with the last entry again. */
  expectAgain(): void {
    this.#resuming = this.#last !== undefined
    this.#open = NOTHING
    this.#skipping = false
  }

  feed(chunk: Buffer): void {
    let bytes = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk])
    if (this.#skipping) bytes = this.#afterLongLine(bytes)
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end > 0) this.#feedLines(bytes.toString('latin1', 0, end))
    // A copy: what is left of a line must not hold the whole chunk.
    this.#open = Buffer.from(bytes.subarray(end))
    if (this.#open.length <= MAX_LINE_BYTES) return
    this.tooLong += 1
    this.#skipping = true
    this.#open = NOTHING
  }

  /** All that waits, and where to go on. */
  take(): Batch | undefined {
    if (!this.#moved) return undefined
    const events = [...this.#waiting, ...this.#flood.sums()]
    this.#waiting = []
    this.#moved = false
    return { events, value: encodeState(this.#state) }
  }

  #afterLongLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(NEWLINE)
    if (end === -1) return NOTHING
    this.#skipping = false
    return bytes.subarray(end + 1)
  }

  /** In latin1: one byte is one character, and nothing is decoded that is not looked at. */
  #feedLines(text: string): void {
    for (let at = 0; at < text.length;) {
      const end = text.indexOf('\n', at)
      this.#line(text.slice(at, end))
      at = end + 1
    }
  }

  #line(line: string): void {
    const text = CURSOR.exec(line)?.[1]
    const cursor = text === undefined ? undefined : parseCursor(text)
    if (cursor === undefined) return
    this.heard = true
    this.newestMs = cursor.timeMs
    if (this.#resuming && this.#isKnown(cursor)) return
    this.lines += 1
    this.#compare(cursor)
    this.#noteBoot(cursor)
    if (this.#worthALook(line)) this.#classify(line)
    this.#resuming = false
    this.#last = cursor
    this.#state = { ...this.#state, cursor: text! }
    this.#moved = true
  }

  /** It was looked at before: the last one itself, or, when that is gone, one that came earlier. */
  #isKnown(cursor: JournalCursor): boolean {
    const last = this.#last!
    if (isSameEntry(cursor, last)) {
      this.#resuming = false
      return true
    }
    return cursor.numbering === last.numbering && cursor.number <= last.number && cursor.timeMs <= last.timeMs
  }

  #classify(line: string): void {
    const entry = parseJournalLine(Buffer.from(line, 'latin1').toString())
    if (entry === undefined) return
    for (const event of classify(entry, { phases: this.#options.phases ?? PHASE_PATTERNS })) {
      const goingDown = GOING_DOWN[event.type]
      if (goingDown !== undefined) this.#state = { ...this.#state, goingDown }
      this.#add(event)
    }
  }

  #add(event: NewEvent): void {
    this.events += 1
    if (this.#flood.passes(event)) this.#waiting.push(event)
  }

  /** Are entries gone between the last one and this? */
  #compare(cursor: JournalCursor): void {
    const last = this.#last
    if (last === undefined) return
    const sameNumbering = last.numbering === cursor.numbering
    const missing = sameNumbering ? cursor.number - last.number - 1 : undefined
    const gap = this.#options.complete && missing !== undefined && missing > 0
    if (!this.#resuming && !gap) return
    this.missing += Math.max(0, missing ?? 0)
    this.#waiting.push(hole(last, cursor, missing))
  }

  #noteBoot({ bootId }: JournalCursor): void {
    const { boots = [], goingDown } = this.#state
    if (boots.includes(bootId)) return
    const last = this.#last
    if (last !== undefined && last.bootId !== bootId && goingDown !== true) this.#waiting.push(uncleanEnd(last, bootId))
    this.#state = { ...this.#state, goingDown: false, boots: [...boots, bootId].slice(-MAX_BOOTS) }
  }
}

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

/** What was heard last of a boot tells how it ended. */
const GOING_DOWN: Readonly<Record<string, boolean>> = {
  'system.shutdown': true,
  'journal.stopped': true,
  // journald was only restarted.
  'journal.started': false,
}

function hole(last: JournalCursor, next: JournalCursor, missing: number | undefined): NewEvent {
  const [since, until] = [last, next].map(({ timeMs }) => new Date(timeMs).toISOString())
  const many = missing !== undefined && missing > 0 ? `${missing} entries` : 'an unknown number of entries'
  return {
    ...ownType('journal.hole'),
    ...momentOf(next),
    subject: '',
    message: `the journal has no longer what came after ${since}: ${many} until ${until} were gone before diagd read them`,
    detail: { since, until, ...(missing !== undefined && missing > 0 ? { entries: missing } : {}) },
  }
}

/** Told where the boot ends: of that boot, at its last moment that is known. */
function uncleanEnd(last: JournalCursor, nextBoot: string): NewEvent {
  const message = 'the journal of this boot ends without a shutdown: power cut, reset, or crash of the kernel'
  return {
    ...ownType('system.unclean-end'),
    ...momentOf(last),
    subject: '',
    message,
    detail: { nextBoot: withDashes(nextBoot) },
  }
}

function momentOf({ timeMs, monotonicMs, bootId }: JournalCursor) {
  return { timeMs, monotonicMs, bootId: withDashes(bootId) }
}
