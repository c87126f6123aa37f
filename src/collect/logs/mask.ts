/** The mask of log lines: the same rules and values as in a bundle, line by line, with what stands before them in sight. */
import { liveValues } from '../live-values.ts'
import type { LogProblem } from './find-sources.ts'
import { createKit } from '../kit.ts'
import type { BundleDeps } from '../deps.ts'
import { parseBundleRequest } from '../request.ts'
import { sourceContext } from '../source-context.ts'
import { DEFAULT_LIMITS } from '../../config/limits.ts'
import { selfTest } from '../../redact/self-test.ts'
import type { BundleRedactor } from '../../redact/service.ts'
import type { RawLine } from '../../sources/logs/line.ts'
import { LogsWithheld } from './withheld.ts'

export interface LogMask {
  /** The lines that are not mere context, masked. What cannot be masked is withheld, and says so in its place. */
  lines(batch: readonly RawLine[], before: readonly RawLine[]): Promise<RawLine[]>
  /** A name, a sentence. */
  text(text: string): Promise<string>
  /** What could not be asked for its secrets. */
  readonly problems: readonly string[]
}

export interface LogMasks {
  /**
   * A mask that knows the secrets of these containers; asked for again by who goes on for long.
   * @throws LogsWithheld
   */
  current(containers: readonly string[]): Promise<LogMask>
}

/** So long the secrets of containers and files are taken for known. */
const KNOWN_MS = 15_000

interface Lease {
  readonly atMs: number
  readonly containers: ReadonlySet<string>
  readonly mask: Promise<LogMask & { close(): void }>
}

export function createLogMasks(deps: BundleDeps): LogMasks {
  let lease: Lease | undefined
  return {
    current(containers) {
      const old = lease
      const knows = old && containers.every((id) => old.containers.has(id))
      if (old && knows && performance.now() - old.atMs < KNOWN_MS) return old.mask
      const mask = openMask(deps)
      const mine = { atMs: performance.now(), containers: new Set(containers), mask }
      lease = mine
      mask.catch(() => {
        if (lease === mine) lease = undefined
      })
      // Who has the old one may be in the midst of a line; it costs nothing until it is used.
      void old?.mask.then((one) => setTimeout(() => one.close(), CLOSE_MS).unref()).catch(() => {})
      return mask
    },
  }
}

/** Longer than anybody keeps a mask without asking again. */
const CLOSE_MS = 120_000

async function openMask(deps: BundleDeps): Promise<LogMask & { close(): void }> {
  const { service, nodeKey, settings, values, seen } = deps.redaction
  if (settings === 'unknown')
    throw new LogsWithheld(
      'the configuration speaks of secrets that cannot be understood; diagd check tells what is wrong',
    )
  const ended = new AbortController()
  const request = parseBundleRequest({}, { nowMs: Date.now(), collectorIds: [], defaults: DEFAULT_LIMITS })
  const kit = createKit({ request, deps, source: sourceContext(request, deps, ended.signal) })
  const live = await liveValues(kit, values).finally(() => ended.abort(new Error('the secrets are known')))
  seen.add(live.values)
  if (live.distrust !== undefined) throw new LogsWithheld(live.distrust)
  const redactor = service.open({ key: nodeKey.bytes, live: live.values, ...settings })
  const { missed } = await selfTest(redactor.stream())
  if (missed.length > 0) {
    redactor.close()
    throw new LogsWithheld(`the test of the mask failed (${missed.join(', ')})`)
  }
  const problems = await Promise.all(live.problems.map((problem) => textOf(redactor, problem)))
  const text = rememberNames((name) => textOf(redactor, name))
  return {
    async lines(batch, before) {
      const lines = await maskLines(redactor, batch, before)
      return Promise.all(lines.map((line) => withNames(line, text)))
    },
    text,
    problems,
    close: () => redactor.close(),
  }
}

async function textOf(redactor: BundleRedactor, text: string): Promise<string> {
  return (await redactor.whole(Buffer.from(text))).bytes.toString()
}

/** What programs and people call things is theirs to choose, too. */
async function withNames(line: RawLine, mask: LogMask['text']): Promise<RawLine> {
  const { unit, identifier, container } = line
  return {
    ...line,
    ...(unit !== undefined && { unit: await mask(unit) }),
    ...(identifier !== undefined && { identifier: await mask(identifier) }),
    ...(container && { container: { ...container, name: await mask(container.name) } }),
  }
}

export async function maskedProblem(problem: LogProblem, { text }: Pick<LogMask, 'text'>): Promise<LogProblem> {
  return { ...problem, source: await text(problem.source), message: await text(problem.message) }
}

/** The same few names come with every line. */
const MOST_REMEMBERED = 1000

function rememberNames(mask: (text: string) => Promise<string>): (text: string) => Promise<string> {
  const known = new Map<string, Promise<string>>()
  return (text) => {
    let masked = known.get(text)
    if (masked === undefined) {
      if (known.size >= MOST_REMEMBERED) known.clear()
      masked = mask(text)
      known.set(text, masked)
    }
    return masked
  }
}

async function maskLines(
  redactor: BundleRedactor,
  batch: readonly RawLine[],
  before: readonly RawLine[],
): Promise<RawLine[]> {
  const wanted = batch.filter(({ context }) => !context)
  if (wanted.length === 0) return []
  const all = [...before, ...batch]
  try {
    const messages = parsed(await textOf(redactor, written(all)), all.length)
    const masked = (line: RawLine, index: number) => (line.context ? [] : [withMessage(line, messages[index])])
    return all.flatMap(masked).slice(-wanted.length)
  } catch (error) {
    const reason = `withheld, for it could not be masked: ${(error as Error).message}`
    return wanted.map((line) => withMessage(line, reason))
  }
}

/** Of what is handed over of one message; the mask has seen more of it, so that no secret is cut before it is known. */
const MESSAGE_CHARACTERS = 16 * 1024
const SWALLOWED = 'withheld, for it is a part of the secret before it'

function withMessage(line: RawLine, message = SWALLOWED): RawLine {
  const cut = Buffer.byteLength(message.slice(MESSAGE_CHARACTERS)) + (line.cutBytes ?? 0)
  return { ...line, message: message.slice(0, MESSAGE_CHARACTERS), ...(cut > 0 && { cutBytes: cut }) }
}

/**
 * As the log of a container is written in a bundle, so that rules which go from line to line see what they know. The fraction of the second is
 * the number of the line: what comes out is told apart by it.
 */
function written(lines: readonly RawLine[]): string {
  return lines
    .map(({ message }, index) => {
      const head = `${HEAD}${String(index).padStart(9, '0')}Z stdout F `
      return message
        .split('\n')
        .map((text) => `${head}${text}\n`)
        .join('')
    })
    .join('')
}

const HEAD = '2026-01-01T00:00:00.'
const WRITTEN = /^2026-01-01T00:00:00\.(\d{9})Z stdout F (.*)$/s

/** By number; undefined where the mask swallowed a line. */
function parsed(text: string, count: number): (string | undefined)[] {
  const messages: (string | undefined)[] = Array.from({ length: count })
  let last = -1
  for (const line of text.slice(0, -1).split('\n')) {
    const [, number, rest] = WRITTEN.exec(line) ?? []
    // A mask that goes over the end of a line: its rest belongs to where it began.
    if (number !== undefined) last = Number(number)
    if (last < 0 || last >= count) throw new Error('its lines cannot be told apart')
    messages[last] = messages[last] === undefined ? (rest ?? line) : `${messages[last]}\n${rest ?? line}`
  }
  return messages
}
