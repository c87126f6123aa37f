/** Logs as the tail stores them, joined with what an engine of the test's own still has. */
import { join } from 'node:path'
import type { ContainersRecorded, JoinedEngine } from '../../../../src/collect/recorded-containers.ts'
import type { KeptContainer } from '../../../../src/record/containers/container.ts'
import { FLOOD_LIMITS } from '../../../../src/record/containers/frames/flood.ts'
import { Intake } from '../../../../src/record/containers/frames/intake.ts'
import { writeDocument } from '../../../../src/record/containers/keep/document.ts'
import { LogWriter } from '../../../../src/record/containers/keep/log-writer.ts'
import { createKept } from '../../../../src/record/containers/kept.ts'
import { openJoined } from '../../../../src/record/containers/join/join-log.ts'
import { textOfSegment } from '../../../../src/sources/masked-segment.ts'
import type { SourceEnd } from '../../../../src/sources/source.ts'
import { BEGIN_MS, fakeEngine, idOf, type FakeEngine, type Written } from '../../../helpers/fake-engine.ts'
import { ownFolder, sourceContext } from '../../../helpers/source.ts'

const MASK = { rules: 'r1', values: 0 }

/** Numbered lines, one each millisecond from there on. */
export function numbered(from: number, count: number, stream: 1 | 2 = 1): Written[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: from + index,
    stream,
    text: `line ${from + index} ${(((from + index) * 2654435761) >>> 0).toString(36)}`,
  }))
}

export interface StoredTest {
  readonly stateDir: string
  readonly folder: string
  readonly writer: LogWriter
  /** What an engine sends, as the tail stores it; the mask is the test's business. */
  store(lines: readonly Written[], mask?: (text: string) => string): void
  /** Makes segments of so many lines each. */
  storeSealed(lines: readonly Written[], each: number): void
}

export async function storedLog(
  name = 'web',
  options: { maxBytes?: number; engine?: string } = {},
): Promise<StoredTest> {
  const stateDir = await ownFolder()
  const folder = join(stateDir, 'containers', options.engine ?? 'rootful', idOf(name))
  const writer = new LogWriter({ folder, maxBytes: options.maxBytes ?? 16 * 1024 * 1024 }, MASK)
  const intake = new Intake(writer.memory, FLOOD_LIMITS)
  const store: StoredTest['store'] = (lines, mask = (text) => text) => {
    for (const line of lines) intake.push(frameOf(line))
    const batch = intake.take()
    const text = Buffer.from(mask(batch.text.toString('latin1')), 'latin1')
    writer.append({ ...batch, text, ...MASK, withheld: 0 })
  }
  const storeSealed: StoredTest['storeSealed'] = (lines, each) => {
    for (let at = 0; at < lines.length; at += each) {
      store(lines.slice(at, at + each))
      writer.seal()
    }
  }
  return { stateDir, folder, writer, store, storeSealed }
}

function frameOf({ atMs, stream, text }: Written): Buffer {
  const body = Buffer.from(`${new Date(BEGIN_MS + atMs).toISOString().replace('Z', '000000Z')} ${text}\n`)
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

/** As the daemon knows it. */
function facts({ folder, writer }: StoredTest, more: Partial<KeptContainer> = {}, name = 'web'): KeptContainer {
  const { lines, dropped, ambiguous } = writer.facts()
  const last = more.log?.last
  const log = { lines, dropped, ambiguous, diskBytes: writer.diskBytes, ...(last === undefined ? {} : { last }) }
  return { id: idOf(name), name, image: 'busybox', engine: 'rootful', state: 'running', folder, log, ...more }
}

/** Writes what `list` reads. */
export function keepFacts(stored: StoredTest, more: Partial<KeptContainer> = {}, name = 'web'): void {
  const { log: _, folder: __, ...known } = facts(stored, more, name)
  writeDocument(stored.folder, 'state.json', Buffer.from(JSON.stringify(known)))
}

/** An engine that has these lines of it. */
export async function engineWith(lines: readonly Written[], name = 'web'): Promise<FakeEngine & JoinedEngine> {
  return { ...(await fakeEngine({ [name]: lines })), kind: 'docker' }
}

export interface JoinedTest {
  readonly text: string
  readonly lines: string[]
  readonly end: SourceEnd
  /** How many came as they were stored. */
  readonly segments: number
}

export async function joined(
  stored: StoredTest,
  engine: JoinedEngine | undefined,
  options: {
    container?: Partial<KeptContainer>
    limits?: Parameters<typeof sourceContext>[0]
    window?: readonly [number, number]
  } = {},
): Promise<JoinedTest> {
  const [from, to] = options.window ?? [-BEGIN_MS, Date.UTC(2100, 0) - BEGIN_MS]
  const span = { sinceMs: BEGIN_MS + from, untilMs: BEGIN_MS + to, reason: 'window' }
  const ctx = sourceContext(options.limits, { intervals: async () => [span] })
  const kept = createKept(stored.stateDir)
  const container = { ...facts(stored), log: await logFacts(stored), ...options.container }
  const { chunks } = await openJoined({ kept, container }, engine, ctx)
  const parts: Buffer[] = []
  let segments = 0
  for (let step = await chunks.next(); ; step = await chunks.next()) {
    if (step.done) {
      const text = Buffer.concat(parts).toString()
      return { text, lines: messagesOf(text), end: step.value, segments }
    }
    if (!Buffer.isBuffer(step.value)) segments += 1
    parts.push(Buffer.isBuffer(step.value) ? Buffer.from(step.value) : await textOfSegment(step.value))
  }
}

/** As `list` tells them. */
async function logFacts({ folder, writer }: StoredTest): Promise<KeptContainer['log']> {
  const { readLogFacts } = await import('../../../../src/record/containers/keep/read-log.ts')
  const known = await readLogFacts(folder)
  const none = { lines: 0, ambiguous: 0, dropped: { flood: 0, cap: 0, withheld: 0 } }
  return { ...(known ?? none), diskBytes: writer.diskBytes }
}

/** What the container wrote, and lines of ours as they are. */
function messagesOf(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^\S+Z (?:stdout|stderr) [FP] /, ''))
}

export const textsOf = (lines: readonly Written[]) => lines.map(({ text }) => text)

/** As a bundle gets at it. */
export function recordedIn(stateDir: string, more: Partial<ContainersRecorded> = {}): ContainersRecorded {
  const kept = createKept(stateDir)
  return {
    ...kept,
    flush: async () => {},
    maskedWith: async () => MASK,
    open: (container, engine, ctx) => openJoined({ kept, container }, engine, ctx),
    origin: join(stateDir, 'containers'),
    ...more,
  }
}
