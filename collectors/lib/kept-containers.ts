import type { KeptContainer } from '../../src/collector.ts'
import type { ListedContainer } from './container-list.ts'

/** A container as it is described: what the engine lists of it, what is kept of it, or both. */
export interface FoundContainer extends ListedContainer {
  readonly kept?: KeptContainer
}

/** What the engine lists, with what is kept of each; and those that it lists no more. */
export function withKept(listed: readonly ListedContainer[], kept: readonly KeptContainer[]) {
  const byId = new Map(kept.map((one) => [one.id, one]))
  const there: FoundContainer[] = []
  for (const one of listed) {
    const known = byId.get(one.Id)
    byId.delete(one.Id)
    there.push(known ? { ...one, kept: known } : one)
  }
  return { there, gone: [...byId.values()].map(asFound) }
}

/** As an engine would list it, so that it finds its place among the others. */
function asFound(kept: KeptContainer): FoundContainer {
  const { id, name, state, createdMs = 0 } = kept
  return {
    Id: id,
    Names: [`/${name}`],
    State: state === 'removed' ? 'exited' : state,
    Status: statusOf(kept),
    Created: Math.floor((kept.removedMs ?? createdMs) / 1000),
    kept,
  }
}

/** For people: `Exited (137), removed 2026-11-21T16:47:23Z`. */
function statusOf({ exitCode, oomKilled, removedMs, error }: KeptContainer): string {
  const end = exitCode === undefined ? 'Never ran' : `Exited (${exitCode})`
  const removed = removedMs === undefined ? [] : [`removed ${timeOf(removedMs)}`]
  return [end, ...(oomKilled ? ['out of memory'] : []), ...(error ? [error] : []), ...removed].join(', ')
}

/** What diagd knows of it, for `state.json`. Times as texts. */
export function keptState(kept: KeptContainer) {
  const { id, name, image, state, createdMs, startedMs, finishedMs, removedMs, use, health, log } = kept
  const { exitCode, signal, oomKilled, error, restartCount, logDriver, logProblem, logComplete, engine } = kept
  return {
    state,
    Id: id,
    Name: `/${name}`,
    Image: image,
    engine,
    createdAt: timeOf(createdMs),
    startedAt: timeOf(startedMs),
    finishedAt: timeOf(finishedMs),
    removedAt: timeOf(removedMs),
    exitCode,
    signal,
    oomKilled,
    error,
    restartCount,
    use: use && { ...use, timeMs: undefined, at: timeOf(use.timeMs) },
    health: health && {
      status: health.status,
      log: health.log.map(({ startedMs: at, exitCode: code, output }) => ({
        startedAt: timeOf(at),
        exitCode: code,
        output,
      })),
    },
    log: { driver: logDriver, problem: logProblem, complete: logComplete, ...log },
  }
}

function timeOf(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString()
}
