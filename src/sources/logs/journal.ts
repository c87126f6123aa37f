/** The journal as a source of log lines: journalctl, from a time or from an entry, either way, or going on. */
import { setTimeout as delay } from 'node:timers/promises'
import { openCommand } from '../command.ts'
import { journalAccess } from '../journal-access.ts'
import { isSameEntry, parseCursor, type JournalCursor } from '../journal-cursor.ts'
import { parseJournalLine, type JournalEntry } from '../journal-line.ts'
import { levelOfPriority, priorityOf, type Level } from '../levels.ts'
import { SourceError, type SourceEnd } from '../source.ts'
import {
  asContext,
  CONTEXT_LINES,
  inBatches,
  messageOf,
  type LogBatches,
  type LogContext,
  type LogSource,
  type LogSpan,
  type RawLine,
} from './line.ts'

export interface JournalWish {
  /** Entries of any of these units or containers; of all when both are empty. */
  readonly units: readonly string[]
  /** Names, or the beginnings of ids with 12 letters. */
  readonly containers: readonly string[]
  /** This level and graver ones. */
  readonly level?: Level | undefined
}

export const JOURNAL_KEY = 'j'

export function journalSource(wish: JournalWish): LogSource {
  return {
    key: JOURNAL_KEY,
    kind: 'journal',
    name: 'journal',
    read: (span, ctx) => read(wish, span, ctx),
    follow: (from, ctx) => follow(wish, from, ctx),
  }
}

const FIELDS =
  'MESSAGE PRIORITY SYSLOG_IDENTIFIER SYSLOG_PID _COMM _PID _TRANSPORT _SYSTEMD_UNIT UNIT OBJECT_SYSTEMD_UNIT CONTAINER_ID_FULL CONTAINER_NAME'

async function* read(wish: JournalWish, span: LogSpan, ctx: LogContext): LogBatches {
  const lacking = await lackingOf(ctx)
  const problems = yield* span.direction === 'forward' ? forward(wish, span, ctx) : backward(wish, span, ctx)
  return [lacking, problems].filter((said) => said !== undefined).join('; ') || undefined
}

async function* forward(wish: JournalWish, span: LogSpan, ctx: LogContext): LogBatches {
  const { sinceUs, untilUs } = span
  const after = cursorOf(span)
  const before = await contextBefore(wish, span, ctx)
  if (before.length > 0) yield before
  const from = after === undefined ? `--since=${at(sinceUs)}` : `--cursor=${after}`
  let resuming = parseCursor(after ?? '')
  return yield* entries([...argv(wish, ctx), from, `--until=${at(untilUs)}`, ...matches(wish)], ctx, (entry) => {
    const known = resuming !== undefined && isKnown(entry, resuming)
    resuming = undefined
    return known ? undefined : lineOf(entry)
  })
}

/** Up to 128 lines before the beginning, for the mask. */
async function contextBefore(wish: JournalWish, { sinceUs, ...span }: LogSpan, ctx: LogContext): Promise<RawLine[]> {
  const after = cursorOf(span)
  const from = after === undefined ? `--until=${at(sinceUs - 1)}` : `--cursor=${after}`
  const args = [...argv(wish, ctx), '--reverse', `--lines=${CONTEXT_LINES}`, from, ...matches(wish)]
  const lines: RawLine[] = []
  for await (const batch of entries(args, ctx, contextOf)) lines.unshift(...batch.toReversed())
  return lines
}

/** Newest first from journalctl; each batch is turned round. Goes on past the beginning of the span as far as the mask looks. */
async function* backward(wish: JournalWish, span: LogSpan, ctx: LogContext): LogBatches {
  const after = cursorOf(span)
  const from = after === undefined ? `--until=${at(span.untilUs)}` : `--cursor=${after}`
  let resuming = parseCursor(after ?? '')
  let older = 0
  const all = entries([...argv(wish, ctx), '--reverse', from, ...matches(wish)], ctx, (entry) => {
    const known = resuming !== undefined && isKnown(entry, resuming)
    resuming = undefined
    if (known) return undefined
    const line = lineOf(entry)
    return line && line.timeUs < span.sinceUs ? asContext(line) : line
  })
  let group: RawLine[] = []
  try {
    let step = await all.next()
    for (; !step.done && older < CONTEXT_LINES; step = await all.next()) {
      group.push(...step.value)
      older += step.value.filter(({ context }) => context).length
      // The mask of a batch looks at the one that is older: it needs to have as many lines as a key.
      if (group.length < CONTEXT_LINES) continue
      yield group.toReversed()
      group = []
    }
    if (group.length > 0) yield group.toReversed()
    return step.done ? step.value : undefined
  } finally {
    await all.return(undefined)
  }
}

/** How long it waits to start journalctl again, which may be killed; and how often, when it brings nothing. */
const AGAIN_MS = 1000
const MOST_TRIES = 3

async function* follow(wish: JournalWish, from: Pick<LogSpan, 'sinceUs' | 'after'>, ctx: LogContext): LogBatches {
  await lackingOf(ctx)
  const patient = { ...ctx, limits: { ...ctx.limits, commandMs: Infinity, stallMs: Infinity } }
  let last = cursorOf(from)
  for (let tries = 1; ; tries++) {
    const begin = last === undefined ? `--since=${at(from.sinceUs)}` : `--cursor=${last}`
    let resuming = parseCursor(last ?? '')
    const args = [...argv(wish, ctx), ...(await newestBoot(ctx)), '--follow', '--no-tail', begin, ...matches(wish)]
    const followed = entries(args, patient, (entry) => {
      const known = resuming !== undefined && isKnown(entry, resuming)
      resuming = undefined
      last = entry.cursor
      tries = 0
      return known ? undefined : lineOf(entry)
    })
    try {
      yield* followed
    } catch (error) {
      if (ctx.signal.aborted || tries >= MOST_TRIES) throw error
    }
    await delay(AGAIN_MS, undefined, { signal: ctx.signal })
  }
}

/**
 * journalctl follows the present boot alone, and knows it from the kernel; in a container, and confined in one, that is another one than the
 * journal's.
 */
async function newestBoot(ctx: LogContext): Promise<string[]> {
  let boot: string | undefined
  const newest = entries([...argv(EVERYTHING, ctx), '--reverse', '--lines=1'], ctx, ({ cursor }) => {
    boot = parseCursor(cursor)?.bootId
    return undefined
  })
  await newest.next()
  return boot === undefined ? [] : [`--boot=${boot}`]
}

const EVERYTHING: JournalWish = { units: [], containers: [] }

/** @throws SourceError `skipped` when there is no journal, or none that may be read. */
async function lackingOf({ root }: LogContext): Promise<string | undefined> {
  const access = await journalAccess(root)
  if (access.refused !== undefined) throw new SourceError('skipped', access.refused, { quiet: true })
  return access.lacking
}

function argv({ level }: JournalWish, { root }: LogContext): string[] {
  const priority = level && priorityOf(level)
  return [
    'journalctl',
    '--no-pager',
    '--quiet',
    // Without it, what is longer than 4 KiB comes as null.
    '--all',
    '--output=json',
    `--output-fields=${FIELDS.replaceAll(' ', ',')}`,
    ...(root === '' ? [] : [`--root=${root}`]),
    ...(priority === undefined ? [] : [`--priority=${priority}`]),
  ]
}

/** What journalctl's own --unit looks for, but without its patterns; and what Docker's driver for the journal writes. */
function matches({ units, containers }: JournalWish): string[] {
  const ofUnits = units.flatMap((unit) => [
    [`_SYSTEMD_UNIT=${unit}`],
    ['_PID=1', `UNIT=${unit}`],
    ['_UID=0', `OBJECT_SYSTEMD_UNIT=${unit}`],
    ['_UID=0', `COREDUMP_UNIT=${unit}`],
  ])
  const ofContainers = containers.flatMap((container) => [
    [`CONTAINER_NAME=${container}`],
    [`CONTAINER_ID=${container.slice(0, 12)}`],
  ])
  return [...ofUnits, ...ofContainers].flatMap((match) => ['+'].concat(match)).slice(1)
}

/** journalctl takes fractions of a second. */
function at(timeUs: number): string {
  return `@${Math.floor(Math.max(0, timeUs) / 1e6)}.${String(Math.max(0, timeUs) % 1e6).padStart(6, '0')}`
}

function isKnown({ cursor }: JournalEntry, last: JournalCursor): boolean {
  const is = parseCursor(cursor)
  return is !== undefined && isSameEntry(is, last)
}

const GATHERED_LINES = 400

/** One run of journalctl: the lines that `line` makes of its entries. */
async function* entries(
  args: readonly string[],
  ctx: LogContext,
  line: (entry: JournalEntry) => RawLine | undefined,
): LogBatches {
  const { chunks } = await openCommand({ argv: args }, { ...ctx, limits: { ...ctx.limits, entryBytes: Infinity } })
  const splitter = new Splitter()
  // A chunk holds a hundred lines or so, and the mask looks at as many again before each batch.
  const gathers = !args.includes('--follow')
  let gathered: RawLine[] = []
  try {
    let step = await chunks.next()
    for (; !step.done; step = await chunks.next()) {
      for (const text of splitter.push(step.value)) {
        const entry = parseJournalLine(text)
        const made = entry && line(entry)
        if (made) gathered.push(made)
      }
      if (gathers && gathered.length < GATHERED_LINES) continue
      yield* inBatches(gathered)
      gathered = []
    }
    yield* inBatches(gathered)
    return [problemOf(step.value), splitter.problem].filter((said) => said !== undefined).join('; ') || undefined
  } finally {
    await chunks.return({ outcome: 'ok' })
  }
}

/** journalctl survives what it cannot read, ends with 0, and says so only on stderr. */
function problemOf({ outcome, detail, stderr = '' }: SourceEnd): string | undefined {
  if (outcome === 'failed' || outcome === 'timeout') throw new SourceError(outcome, `journalctl: ${detail}`)
  if (outcome !== 'ok') return detail
  const damaged = /corrupt|truncated|bad message|ignoring file|failed to iterate/i.test(stderr)
  return damaged ? `damaged journal file: ${stderr.split('\n')[0]!.trim()}` : undefined
}

/** A message in bytes is written as a list of numbers, four letters each; no text of use is as long. */
const LINE_BYTES = 1024 * 1024

class Splitter {
  #open: Buffer = Buffer.alloc(0)
  #skipping = false
  #skipped = 0

  get problem(): string | undefined {
    return this.#skipped === 0 ? undefined : `${this.#skipped} entries of more than ${LINE_BYTES} bytes are left out`
  }

  push(chunk: Buffer): string[] {
    let bytes = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk])
    if (this.#skipping) {
      const end = bytes.indexOf(0x0a)
      if (end === -1) return []
      this.#skipping = false
      bytes = bytes.subarray(end + 1)
    }
    const end = bytes.lastIndexOf(0x0a) + 1
    // A copy: the chunk belongs to whoever gave it.
    this.#open = Buffer.from(bytes.subarray(end))
    if (this.#open.length > LINE_BYTES) {
      this.#skipped += 1
      this.#skipping = true
      this.#open = Buffer.alloc(0)
    }
    return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n')
  }
}

function contextOf(entry: JournalEntry): RawLine | undefined {
  const line = lineOf(entry)
  return line && asContext(line)
}

function lineOf({ cursor, field }: JournalEntry): RawLine | undefined {
  const timeUs = Number(field('__REALTIME_TIMESTAMP'))
  const place = placeOf(cursor)
  if (place === undefined) return undefined
  const unit =
    (field('_PID') === '1' ? field('UNIT') : undefined) ?? field('OBJECT_SYSTEMD_UNIT') ?? field('_SYSTEMD_UNIT')
  const kernel = field('_TRANSPORT') === 'kernel' ? 'kernel' : undefined
  const identifier = field('SYSLOG_IDENTIFIER') ?? kernel ?? field('_COMM')
  const pid = Number(field('SYSLOG_PID') ?? field('_PID'))
  const [id, name] = [field('CONTAINER_ID_FULL'), field('CONTAINER_NAME')]
  return {
    timeUs,
    level: levelOfPriority(field('PRIORITY')),
    ...messageOf(Buffer.from(field('MESSAGE') ?? '')),
    place,
    ...(unit === undefined ? {} : { unit }),
    ...(identifier === undefined ? {} : { identifier }),
    ...(pid > 0 ? { pid } : {}),
    ...(id === undefined ? {} : { container: { id, name: name ?? id.slice(0, 12) } }),
  }
}

const PLACE = /^(\w+)\.(\w+)\.(\w+)\.(\w+)\.(\w+)\.(\w+)$/

/** `s=…;i=…;b=…;m=…;t=…;x=…` without its names. */
function placeOf(cursor: string): string | undefined {
  const parts = /^s=(\w+);i=(\w+);b=(\w+);m=(\w+);t=(\w+);x=(\w+)/.exec(cursor)
  return parts?.slice(1).join('.')
}

function cursorOf({ after }: Pick<LogSpan, 'after'>): string | undefined {
  const [, s, i, b, m, t, x] = PLACE.exec(after ?? '') ?? []
  return x === undefined ? undefined : `s=${s};i=${i};b=${b};m=${m};t=${t};x=${x}`
}
