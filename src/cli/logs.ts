/** `diagd logs`: the same lines as GET /logs, read with the caller's rights; no daemon is needed. */
import type { LogProblem } from '../collect/logs/find-sources.ts'
import type { LogLine } from '../collect/logs/line.ts'
import { createLogReader, type LogReader } from '../collect/logs/reader.ts'
import { lineText, problemText, type Paint } from '../collect/logs/text.ts'
import { MOST_LINES, parseFollowWish, parsePageWish, type PageWish } from '../collect/logs/wish.ts'
import { LogsWithheld } from '../collect/logs/withheld.ts'
import { UsageError, type Parameters } from '../collect/request.ts'
import { prepare } from './engine.ts'
import { EXIT, print, say, type Io } from './io.ts'
import { catchSignals, type Interrupt } from './signals.ts'

export interface LogsOptions {
  readonly source?: readonly string[]
  readonly level?: string
  readonly unit?: readonly string[]
  readonly container?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly search?: string
  readonly lines?: string
  readonly follow?: true
  readonly json?: true
}

export async function logs(options: LogsOptions, io: Io): Promise<number> {
  const { lines, follow, json, ...filter } = options
  if (follow && options.until !== undefined)
    throw new UsageError('until', 'does not go together with --follow, which has no end')
  const parameters = Object.fromEntries(Object.entries(filter)) as Parameters
  const nowMs = Date.now()
  const interrupt = catchSignals()
  // What is wrong with the options is told before anything is asked.
  const read = follow
    ? following({ ...parameters, ...linesToBegin(options) }, nowMs)
    : asLines(() => reading(parameters, lines, nowMs))
  const { deps } = await prepare(io)
  const printer = createPrinter(io, json === true)
  try {
    await read(createLogReader(deps), printer, interrupt.signal)
    return interrupt.signal.aborted ? interruptedCode(interrupt) : EXIT.whole
  } catch (error) {
    if (interrupt.signal.aborted) return interruptedCode(interrupt)
    if (!(error instanceof LogsWithheld)) throw error
    say(io, `diagd: the logs are not handed over: ${error.message}`)
    return EXIT.failed
  }
}

/** What is `limit` over HTTP. */
function asLines<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof UsageError) || error.parameter !== 'limit') throw error
    throw new UsageError('lines', error.message.replace(/^limit: /, ''))
  }
}

function interruptedCode(interrupt: Interrupt): number {
  return interrupt.exitCode() ?? EXIT.failed
}

type Read = (reader: LogReader, printer: Printer, signal: AbortSignal) => Promise<void>

/** As `tail -f` has it: some lines of before, then what comes. */
const LINES_BEFORE = '10'

function linesToBegin({ lines, since }: LogsOptions): Parameters {
  return since === undefined || lines !== undefined ? { lines: lines ?? LINES_BEFORE } : {}
}

function following(parameters: Parameters, nowMs: number): Read {
  const wish = parseFollowWish(parameters, nowMs)
  return async (reader, printer, signal) => {
    for await (const step of reader.follow(wish, signal)) {
      if ('line' in step) await printer.line(step.line)
      else if ('problem' in step) printer.problem(step.problem)
      else printer.caughtUp()
    }
  }
}

/** With --since all that is there from then on; else the newest lines. */
function reading(parameters: Parameters, lines: string | undefined, nowMs: number): Read {
  const all = lines === undefined && parameters.since !== undefined
  const limit = all ? { limit: String(MOST_LINES) } : lines === undefined ? {} : { limit: lines }
  const wish = parsePageWish({ ...parameters, order: all ? 'oldest' : 'newest', ...limit }, nowMs)
  return all
    ? (...how) => readAll({ ...wish, untilMs: wish.untilMs ?? nowMs }, ...how)
    : (...how) => readNewest(wish, ...how)
}

async function readAll(wish: PageWish, reader: LogReader, printer: Printer, signal: AbortSignal): Promise<void> {
  for (let next: PageWish | undefined = wish; next;) {
    const page = await reader.page(next, signal)
    for (const line of page.lines) await printer.line(line)
    for (const problem of page.problems) printer.problem(problem)
    next = page.ended === 'end' || signal.aborted ? undefined : { ...wish, cursor: page.cursor }
  }
  printer.caughtUp()
}

/** Put in order once they are all there; a search goes on to the end of the logs. */
async function readNewest(wish: PageWish, reader: LogReader, printer: Printer, signal: AbortSignal): Promise<void> {
  const lines: LogLine[] = []
  for (let next: PageWish | undefined = wish; next;) {
    const page = await reader.page(next, signal)
    lines.push(...page.lines)
    for (const problem of page.problems) printer.problem(problem)
    const done = page.ended === 'end' || lines.length >= wish.limit || signal.aborted
    next = done ? undefined : { ...wish, limit: wish.limit - lines.length, cursor: page.cursor }
  }
  for (const line of lines.toReversed()) await printer.line(line)
  printer.caughtUp()
}

interface Printer {
  line(line: LogLine): Promise<void>
  /** What is missing, once each, on stderr. */
  problem(problem: LogProblem): void
  /** Where nothing came, also what is simply not there is told. */
  caughtUp(): void
}

function createPrinter(io: Io, json: boolean): Printer {
  const paint = io.stdout.isTTY && !io.environment.NO_COLOR ? COLOURS : undefined
  const said = new Set<string>()
  const absent: LogProblem[] = []
  let printed = false
  const tell = (problem: LogProblem) => {
    const text = problemText(problem).trimEnd()
    if (!said.has(text)) say(io, text)
    said.add(text)
  }
  return {
    line(line) {
      printed = true
      return print(io.stdout, json ? `${JSON.stringify(line)}\n` : lineText(line, paint))
    },
    problem: (problem) => (problem.absent ? void absent.push(problem) : tell(problem)),
    caughtUp() {
      if (!printed) absent.forEach(tell)
    },
  }
}

const PLAIN = '\x1b[0m'
const OF_LEVEL: Record<LogLine['level'], string> = {
  debug: '\x1b[2m',
  info: '',
  warning: '\x1b[33m',
  error: '\x1b[31m',
  critical: '\x1b[1;31m',
}

const COLOURS: Paint = {
  level: (text, level) => (OF_LEVEL[level] === '' ? text : `${OF_LEVEL[level]}${text}${PLAIN}`),
  dim: (text) => `\x1b[2m${text}${PLAIN}`,
}
