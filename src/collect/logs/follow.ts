/** Logs as they grow: first what is there, by time; then what comes, from all sources at once, as it comes. */
import type { LogProblem } from './find-sources.ts'
import { Inbox } from './inbox.ts'
import { isWanted, shownLine, type LogLine } from './line.ts'
import { Live } from './live.ts'
import { maskedProblem } from './mask.ts'
import { maskedLines } from './masked.ts'
import { merge } from './merge.ts'
import { readWithHead, type PageDeps } from './page.ts'
import { Position } from './position.ts'
import type { FollowWish } from './wish.ts'

/** `live`: it comes whether or not somebody reads; else it waits on the disk. */
export type FollowStep =
  | { readonly line: LogLine; readonly live: boolean }
  | { readonly problem: LogProblem }
  /** Everything that was there was handed over; from here on it is live. */
  | { readonly caughtUp: true }

/**
 * Until the signal of the context is aborted; then it ends, and with it all that it started. Who is slow to take them holds up the sources:
 * who cannot wait has to drop lines himself.
 * @throws LogsWithheld, UsageError (the cursor), before the first step
 */
export async function* followLogs(wish: FollowWish, deps: PageDeps): AsyncGenerator<FollowStep, void, void> {
  const ended = new AbortController()
  const signal = AbortSignal.any([deps.ctx.signal, ended.signal])
  const here = { ...deps, ctx: { ...deps.ctx, signal } }
  const nowUs = Date.now() * 1000
  try {
    if (wish.cursor === undefined && wish.sinceMs === undefined) {
      const newest = yield* newestLines(wish, here)
      const position = newest ?? new Position('forward', nowUs, Infinity)
      return yield* live(wish, here, { position, sinceUs: nowUs, nowUs })
    }
    const sinceUs = (wish.sinceMs ?? 0) * 1000
    const position =
      wish.cursor === undefined ? new Position('forward', sinceUs, Infinity) : Position.decode(wish.cursor, 'forward')
    yield* history(wish, here, { position, sinceUs, untilUs: nowUs })
    yield* live(wish, here, { position, sinceUs, nowUs })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    ended.abort(new Error('nobody follows any more'))
  }
}

async function* newestLines(wish: FollowWish, deps: PageDeps): AsyncGenerator<FollowStep, Position | undefined, void> {
  if (wish.lines === undefined) return undefined
  const { page, head } = await readWithHead({ ...wish, order: 'newest', limit: wish.lines }, deps)
  for (const problem of page.problems) yield { problem }
  // Its cursor leads to what is older; only one of what comes later is of use here.
  const cursor = head.encode()
  for (const line of page.lines.toReversed()) yield { line: { ...line, cursor }, live: false }
  return head
}

interface From {
  readonly position: Position
  readonly sinceUs: number
}

async function* history(
  wish: FollowWish,
  { find, masks, ctx }: PageDeps,
  { position, ...span }: From & { readonly untilUs: number },
): AsyncGenerator<FollowStep, void, void> {
  const found = await find(wish, ctx)
  const problems = [...found.problems]
  // It may go on for as long as its reader likes: the secrets are looked for anew.
  const current = () => masks.current(found.containers)
  await current()
  const readings = found.sources.map((source) => {
    const batches = source.read(position.spanOf(source, span), ctx)
    return { source, batches: maskedLines(batches, 'forward', current) }
  })
  const isShown = isWanted(wish)
  const lines = merge(readings, 'forward', {
    begins: (source, line) => position.begins(source, line),
    problem: (problem) => void problems.push(problem),
  })
  for await (const { source, line } of lines) {
    position.pass(source, line)
    if (isShown(line)) yield { line: shownLine(source, line, position.encode()), live: false }
  }
  ctx.signal.throwIfAborted()
  const mask = await current()
  for (const problem of problems) yield { problem: await maskedProblem(problem, mask) }
}

async function* live(
  wish: FollowWish,
  { find, masks, ctx }: PageDeps,
  { position, sinceUs, nowUs }: From & { readonly nowUs: number },
): AsyncGenerator<FollowStep, void, void> {
  const inbox = new Inbox(ctx.signal)
  const following = new Live({
    wish,
    find,
    masks,
    ctx,
    inbox,
    beganMs: nowUs / 1000,
    from: (source) => position.spanOf(source, { sinceUs, untilUs: Infinity }),
  })
  const isShown = isWanted(wish)
  await following.start()
  yield { caughtUp: true }
  for await (const { begins, lines, problems } of inbox.batches()) {
    for (const [source, line] of begins) position.begins(source, line)
    for (const problem of problems) yield { problem }
    for (const { source, line } of lines) {
      position.pass(source, line)
      if (isShown(line)) yield { line: shownLine(source, line, position.encode()), live: true }
    }
  }
}
