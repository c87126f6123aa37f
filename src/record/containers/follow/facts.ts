/** What is known of a container: from the engine's list, its document, and its events. */
import type { ContainerFacts, ContainerState, HealthCheck } from '../container.ts'
import { signalName, type ParsedEvent } from './engine-event.ts'

/** What is used of `GET /containers/json`. */
export interface Listed {
  readonly Id: string
  readonly Names?: readonly string[] | null
  readonly Image?: string
  readonly State?: string
  /** Seconds since 1970. */
  readonly Created?: number
}

/** What is used of `GET /containers/ID/json`. */
export interface Inspected {
  readonly Id: string
  readonly Name?: string
  readonly Created?: string
  readonly RestartCount?: number
  readonly Config?: { readonly Image?: string; readonly Env?: readonly string[] | null; readonly Tty?: boolean }
  readonly HostConfig?: { readonly LogConfig?: { readonly Type?: string } }
  readonly State?: {
    readonly Status?: string
    readonly Running?: boolean
    readonly ExitCode?: number
    readonly OOMKilled?: boolean
    readonly Error?: string
    readonly StartedAt?: string
    readonly FinishedAt?: string
    readonly Health?: { readonly Status?: string; readonly Log?: readonly EngineHealthCheck[] | null } | null
  }
}

interface EngineHealthCheck {
  readonly Start?: string
  readonly ExitCode?: number
  readonly Output?: string
}

/** Docker keeps five, of 4 KiB each. */
const HEALTH_CHECKS = 5
const OUTPUT_LETTERS = 4096
const SAME_MS = 2000

/** `removed` is not said by an engine, but by its silence. */
function stateOf(word: string | undefined): ContainerState {
  if (word === 'running' || word === 'paused' || word === 'created') return word
  // Podman's words for it.
  return word === 'configured' || word === 'initialized' ? 'created' : 'exited'
}

export function factsOfListed({ Id, Names, Image, State, Created }: Listed, engine: string): ContainerFacts {
  return {
    id: Id,
    name: nameOf(Names?.find((name) => !name.slice(1).includes('/')) ?? Names?.[0]),
    image: Image ?? '',
    engine,
    state: stateOf(State),
    ...(Created === undefined ? {} : { createdMs: Created * 1000 }),
  }
}

/** What the document says, over what was known. */
export function withInspected(
  known: ContainerFacts,
  { Name, Created, RestartCount, Config, HostConfig, State }: Inspected,
): ContainerFacts {
  const { Status, ExitCode, OOMKilled, Error: error, StartedAt, FinishedAt, Health } = State ?? {}
  const finishedMs = timeOf(FinishedAt)
  // It ran again, unseen: the document and the event of one end differ by milliseconds.
  const laterMs = finishedMs === undefined ? 0 : finishedMs - (known.finishedMs ?? finishedMs)
  const ranAgain = Math.abs(laterMs) > SAME_MS
  // Nor did that run end as the one before; an older document of a container that ended again tells nothing of that.
  const facts = laterMs > SAME_MS ? withoutEnd(known) : known
  const state = facts.state === 'removed' ? facts.state : stateOf(Status)
  // The document of one that is gone meanwhile may be of the time before its end.
  const ended = stateOf(Status) === 'exited'
  const signal = ended && ExitCode !== undefined ? signalName(ExitCode) : undefined
  const health = Health?.Status
    ? { status: Health.Status, log: (Health.Log ?? []).slice(-HEALTH_CHECKS).map(checkOf) }
    : undefined
  return {
    ...facts,
    ...(ranAgain || state === 'running' ? { logComplete: false } : {}),
    state,
    name: nameOf(Name) || facts.name,
    image: Config?.Image ?? facts.image,
    ...given({
      createdMs: timeOf(Created) ?? facts.createdMs,
      startedMs: timeOf(StartedAt) ?? facts.startedMs,
      finishedMs: finishedMs ?? facts.finishedMs,
      exitCode: ended ? (ExitCode ?? facts.exitCode) : facts.exitCode,
      signal: signal ?? facts.signal,
      // What an event told stays told: podman's document forgets it.
      oomKilled: OOMKilled === true || facts.oomKilled === true ? true : OOMKilled,
      error: error ? error : undefined,
      restartCount: RestartCount,
      health: health ?? facts.health,
      logDriver: HostConfig?.LogConfig?.Type,
    }),
  }
}

/** What an event says, over what was known. `sent`: the signal that the engine was told to send it right before. */
export function withEvent(
  facts: ContainerFacts,
  { action, attributes, timeMs }: ParsedEvent,
  sent?: string,
): ContainerFacts {
  switch (action) {
    case 'start':
      return { ...withoutEnd(facts), state: 'running', startedMs: timeMs }
    case 'die': {
      const code = attributes.exitCode === undefined ? undefined : Number(attributes.exitCode)
      const signal = (code === undefined ? undefined : signalName(code)) ?? sent
      return { ...facts, state: 'exited', finishedMs: timeMs, ...given({ exitCode: code, signal }) }
    }
    case 'oom':
      return { ...facts, oomKilled: true }
    case 'pause':
      return { ...facts, state: 'paused' }
    case 'unpause':
      return { ...facts, state: 'running' }
    case 'rename':
      return { ...facts, name: attributes.name ?? facts.name }
    case 'destroy':
      return { ...facts, state: 'removed', removedMs: timeMs }
    default:
      return facts
  }
}

function withoutEnd(facts: ContainerFacts): ContainerFacts {
  const { exitCode: _, signal: __, oomKilled: ___, finishedMs: ____, logComplete: _____, ...rest } = facts
  return rest
}

/** Of a `kill`: Docker tells a number, others a name. */
export function signalSent({ signal }: ParsedEvent['attributes']): string | undefined {
  if (signal === undefined) return undefined
  return /^\d+$/.test(signal) ? (signalName(Number(signal) + 128) ?? signal) : signal
}

function nameOf(name: string | undefined): string {
  return (name ?? '').replace(/^\//, '')
}

/** Go's zero time stands for none. */
function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined || text.startsWith('0001-') ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

function checkOf({ Start, ExitCode, Output }: EngineHealthCheck): HealthCheck {
  return { startedMs: timeOf(Start) ?? 0, exitCode: ExitCode ?? -1, output: (Output ?? '').slice(0, OUTPUT_LETTERS) }
}

/** Without what is not known. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
