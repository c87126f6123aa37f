/**
 * The log of a container for a bundle: what is stored of it, before that what the engine has that is older, behind it what the engine has that is newer;
 * each line once.
 */
import type { JoinedEngine } from '../../../collect/recorded-containers.ts'
import { openEngineLog } from '../../../sources/engine-log.ts'
import { bothEnds } from '../../../sources/ends.ts'
import { textOfSegment, type MaskedSegment, type OpenedPieces } from '../../../sources/masked-segment.ts'
import { holeNote, overLimit } from '../../../sources/pieces.ts'
import { SourceError, type SourceEnd } from '../../../sources/source.ts'
import type { UnixHttpContext } from '../../../sources/unix-http.ts'
import type { LogPiece } from '../container.ts'
import { KeyGuard } from './key-guard.ts'
import { mayBeNewer, newerBytes, newerText, type NewerWish } from './newer.ts'
import { olderText } from './older.ts'
import { planOf, type Plan } from './plan.ts'
import { cutToSpans, firstLines, lastLines, spansOf } from './stamps.ts'
import { measure, piecesOf, segmentWithin, type Measured, type StoredLog } from './stored.ts'

type Chunks = AsyncGenerator<Buffer | MaskedSegment, SourceEnd, void>

interface Job extends StoredLog {
  /** undefined: nobody is to be asked. */
  readonly engine: JoinedEngine | undefined
  readonly ctx: UnixHttpContext
}

/** `engine`: the one that has the container, where it answers. */
export async function openJoined(
  { kept, container }: Pick<StoredLog, 'kept' | 'container'>,
  engine: JoinedEngine | undefined,
  ctx: UnixHttpContext,
): Promise<OpenedPieces> {
  const spans = spansOf(await ctx.intervals())
  const asked = engine ? `, unix:${engine.socket} /containers/${container.id}/logs` : ''
  const origin = `${container.folder} (masked when it was stored)${asked}`
  return { origin, chunks: joined({ kept, container, spans, engine, ctx }) }
}

async function* joined(job: Job): Chunks {
  const stored = await measure(job, job.ctx)
  if (stored.first.length === 0 && stored.segments.length === 0) return yield* unstored(job, stored)
  const newer = job.engine && mayBeNewer(lastOf(job)) ? newerWish(job, job.engine, stored) : undefined
  const fresh = newer ? await newerBytes(newer, job.ctx) : { bytes: 0, end: OK }
  const plan = planOf(stored, fresh.bytes, job.ctx.limits)
  const told = { lines: 0 }
  const guard = new KeyGuard()
  // One that did not answer is not waited for twice.
  const answers = fresh.end.outcome === 'ok' || fresh.bytes > 0
  const older = answers ? yield* olderPart(job, stored, plan, { told, guard }) : OK
  const kept = yield* storedPart(job, plan, { older: told.lines, guard })
  const wish = newer && { ...newer, place: kept.place, entryBytes: plan.newBytes }
  const end = wish && fresh.bytes > 0 ? yield* newerPart(wish, kept, job) : fresh.end
  return endOf(job, kept, bothEnds(older, end))
}

const OK: SourceEnd = { outcome: 'ok' }

const lastOf = ({ spans, container }: Job) => ({ spans, last: container.log.last })

/** Nothing is stored of what is wanted: all there is has the engine. */
async function* unstored({ engine, container, ctx }: Job, { textBytes }: Measured): Chunks {
  if (engine) return yield* (await openEngineLog({ socket: engine.socket, containerId: container.id }, ctx)).chunks
  const { lines, first, last } = container.log
  if (container.logProblem !== undefined) throw new SourceError('skipped', container.logProblem)
  if (lines > 0 && textBytes === 0)
    throw new SourceError('skipped', `what is stored of it, from ${first} to ${last}, is outside of the window`, {
      quiet: true,
    })
  throw new SourceError('skipped', 'nothing of its log is stored, and there is no engine that has it')
}

function newerWish({ container, spans, ctx }: Job, engine: JoinedEngine, { place }: Measured): NewerWish {
  return {
    log: { socket: engine.socket, containerId: container.id },
    spans,
    place,
    first: container.log.first,
    last: container.log.last,
    wholeSeconds: engine.kind === 'podman',
    entryBytes: ctx.limits.entryBytes,
  }
}

async function* olderPart(
  { engine, container, spans, ctx }: Job,
  { first }: Measured,
  { olderBytes }: Plan,
  { told, guard }: { told: { lines: number }; guard: KeyGuard },
): AsyncGenerator<Buffer, SourceEnd, void> {
  if (!engine || first.length === 0 || olderBytes <= 0) return OK
  const log = { socket: engine.socket, containerId: container.id }
  const room = { entryBytes: olderBytes, headBytes: ctx.limits.headBytes }
  const lines = olderText({ log, spans, stored: first, room }, ctx, told)
  for (let step = await lines.next(); ; step = await lines.next()) {
    if (step.done) return step.value
    guard.see(step.value)
    yield step.value
  }
}

interface Kept {
  readonly place: NewerWish['place']
  readonly end: SourceEnd
  /** The last lines, to see whether a key goes on behind them. */
  lastText(): Promise<Buffer>
}

async function* storedPart(
  job: Job,
  plan: Plan,
  { older, guard }: { older: number; guard: KeyGuard },
): AsyncGenerator<Buffer | MaskedSegment, Kept, void> {
  let last: MaskedSegment | undefined
  let tail: Buffer = Buffer.alloc(0)
  let place: NewerWish['place']
  let end: SourceEnd = OK
  let head = plan.hole?.headBytes ?? 0
  const over = overLimit(job.ctx.limits.entryBytes)
  for await (const piece of piecesOf(job, job.ctx)) {
    if (!('segment' in piece)) {
      place = piece.place ?? place
      tail = dropped(piece, older)
      const { text } = cutToSpans(tail, job.spans)
      const fitting = lastLines(text, plan.textBytes)
      if (fitting.length < text.length) {
        const cutBytes = text.length - fitting.length
        yield holeNote(cutBytes, over).note
        end = bothEnds(end, { outcome: 'partial', detail: `${cutBytes} bytes left out (${over})`, cutBytes })
      }
      yield guarded(guard, fitting)
      continue
    }
    const { piece: content, damaged } = await segmentWithin(piece.segment, job.spans)
    if (damaged)
      end = bothEnds(end, {
        outcome: 'partial',
        detail: 'a part of what is stored is damaged: see the lines that say so',
      })
    if (plan.hole && piece.segment.number < plan.hole.until) {
      if (head > 0) yield firstLines(Buffer.isBuffer(content) ? content : await textOfSegment(content), head)
      if (head > 0) yield holeNote(plan.hole.cutBytes, over).note
      head = 0
      continue
    }
    last = Buffer.isBuffer(content) ? last : content
    if (guard.isOpen) yield guarded(guard, Buffer.isBuffer(content) ? content : await textOfSegment(content))
    else yield content
  }
  if (plan.hole) {
    const { cutBytes } = plan.hole
    const detail = `${cutBytes} bytes left out after the first ones (${over})`
    end = bothEnds(end, { outcome: 'partial', detail, cutBytes })
  }
  const lastText = async () =>
    Buffer.concat([last && tail.length < LAST_BYTES ? await textOfSegment(last) : Buffer.alloc(0), tail])
  return { place, end, lastText }
}

function guarded(guard: KeyGuard, text: Buffer): Buffer {
  return guard.isOpen ? guard.pass(text) : text
}

/** A key that goes on behind what is stored has begun within them. */
const LAST_BYTES = 64 * 1024

const CAP = /^… (\d+) lines dropped \(cap\)/

/** Of what went for want of room the engine may still have had some. */
function dropped(piece: Extract<LogPiece, { text: unknown }>, older: number): Buffer {
  const [, count] = (older > 0 && piece.lines === 0 && CAP.exec(piece.text.toString('utf8', 0, 200))) || []
  if (count === undefined) return piece.text
  const left = Number(count) - older
  return left > 0
    ? Buffer.from(`… ${left} lines dropped (cap) before those above, which the engine still had …\n`)
    : Buffer.alloc(0)
}

async function* newerPart(wish: NewerWish, kept: Kept, { ctx }: Job): AsyncGenerator<Buffer, SourceEnd, void> {
  const lines = newerText(wish, ctx)
  const guard = new KeyGuard()
  let step = await lines.next()
  if (!step.done) guard.see((await kept.lastText()).subarray(-LAST_BYTES))
  for (; !step.done; step = await lines.next()) yield guarded(guard, step.value)
  return step.value
}

/** How it ended: what is missing of it is missing at the end. */
function endOf({ container, engine }: Job, { end }: Kept, ofEngine: SourceEnd): SourceEnd {
  const { state, logComplete, logProblem, log } = container
  // A run that is over says nothing more.
  const isWhole = logComplete === true && state !== 'running' && state !== 'paused'
  if (isWhole && ofEngine.outcome !== 'partial') return end
  if (engine && ofEngine.outcome === 'ok') return end
  const reason =
    ofEngine.detail ??
    (state === 'removed' ? 'its container was removed before all of it was read' : 'its engine was not asked')
  const detail = [
    `what came after ${log.last} may be missing: ${reason}`,
    ...(logProblem === undefined ? [] : [logProblem]),
  ].join('; ')
  return bothEnds(end, { outcome: 'partial', detail, endsEarly: true })
}
