/** What an engine tells on /events, and what of it goes to events.db. Docker's words; podman's are its own for two actions. */
import { constants } from 'node:os'
import type { Level, NewEvent } from '../../events/event.ts'

/** One line of the answer, as far as it is used. */
interface EngineEvent {
  readonly Type?: string
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
  readonly time?: number
  readonly timeNano?: number
}

export interface ParsedEvent {
  readonly about: 'container' | 'image'
  readonly action: string
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
  readonly timeMs: number
  /** Since when the engine is asked for more. */
  readonly cursor: string
}

/** What is told; a health check that runs in a container (`exec_start`) is none of it. */
const ACTIONS = {
  container: [
    'create',
    'start',
    'restart',
    'die',
    'oom',
    'kill',
    'health_status',
    'pause',
    'unpause',
    'rename',
    'destroy',
  ],
  image: ['pull', 'push', 'build', 'load', 'import', 'delete'],
} as const satisfies Record<ParsedEvent['about'], readonly string[]>
/** Podman's. */
const OTHER_NAMES: Readonly<Record<string, string>> = { remove: 'destroy', died: 'die' }

/** undefined when it is nothing that is kept, or no event at all. */
export function parseEvent(line: string): ParsedEvent | undefined {
  const event = parsed(line)
  const about = event?.Type
  if (!event || (about !== 'container' && about !== 'image') || event.Action === undefined) return undefined
  // `health_status: healthy`.
  const word = event.Action.split(':', 1)[0]!.trim()
  const action = about === 'image' && word === 'remove' ? 'delete' : (OTHER_NAMES[word] ?? word)
  if (!(ACTIONS[about] as readonly string[]).includes(action)) return undefined
  const { ID: id = '', Attributes: attributes = {} } = event.Actor ?? {}
  const status = event.Action.includes(':') ? event.Action.slice(event.Action.indexOf(':') + 1).trim() : undefined
  const { seconds, nanos } = momentOf(line, event)
  return {
    about,
    action,
    id,
    attributes: status === undefined ? attributes : { ...attributes, healthStatus: status },
    timeMs: seconds * 1000 + nanos / 1e6,
    cursor: `${seconds}.${String(nanos).padStart(9, '0')}`,
  }
}

function parsed(line: string): EngineEvent | undefined {
  try {
    return JSON.parse(line) as EngineEvent
  } catch {
    return undefined
  }
}

/** From the text: nanoseconds since 1970 are more than a number holds. */
function momentOf(line: string, { time = 0 }: EngineEvent): { seconds: number; nanos: number } {
  const digits = /"timeNano":\s*(\d{10,})/.exec(line)?.[1]
  if (digits === undefined) return { seconds: time, nanos: 0 }
  return { seconds: Number(digits.slice(0, -9)), nanos: Number(digits.slice(-9)) }
}

/** For events.db. `name` and `image`: as they are known, for podman leaves them out at times. */
export function eventOf(event: ParsedEvent, engine: string, bootId: string): NewEvent {
  const { about, action, id, attributes, timeMs } = event
  const { name, image, ...rest } = attributes
  const subject = about === 'container' ? (name ?? id.slice(0, 12)) : (name ?? id)
  return {
    timeMs,
    bootId,
    source: 'container',
    type: `${about}.${action.replace('_status', '')}` satisfies string,
    level: levelOf(event),
    subject,
    message: messageOf(event, subject, engine),
    detail: { engine, id, ...(image === undefined ? {} : { image }), ...known(rest) },
  }
}

/** Labels travel with every event; what they say stands in inspect.json. */
function known(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const kept = ['exitCode', 'signal', 'healthStatus', 'oldName', 'execDuration', 'toldBy', 'outOfMemory']
  return Object.fromEntries(kept.flatMap((name) => (attributes[name] === undefined ? [] : [[name, attributes[name]]])))
}

function levelOf({ action, attributes }: ParsedEvent): Level {
  if (action === 'oom') return 'error'
  if (action === 'die') return attributes.exitCode === '0' ? 'info' : 'error'
  if (action === 'health_status') return attributes.healthStatus === 'unhealthy' ? 'warning' : 'info'
  return 'info'
}

function messageOf({ about, action, id, attributes }: ParsedEvent, subject: string, engine: string): string {
  const { image, exitCode, signal, healthStatus, oldName, toldBy, outOfMemory } = attributes
  const later = [...(outOfMemory ? [', out of memory'] : []), ...(toldBy ? [', found afterwards'] : [])].join('')
  const of = image === undefined ? '' : ` of ${image}`
  const what = about === 'container' ? `container ${subject} (${id.slice(0, 12)})${of}` : `image ${subject}`
  const said: Readonly<Record<string, string>> = {
    die: `ended with exit code ${exitCode ?? '?'}${signalOf(exitCode)}${later}`,
    oom: 'ran out of memory: a process in it was killed',
    kill: `was sent signal ${signal ?? '?'}`,
    health_status: `is ${healthStatus ?? 'checked'}`,
    rename: `was called ${oldName ?? 'otherwise'} before`,
    destroy: 'was removed',
    create: 'was created',
    start: 'was started',
    restart: 'was restarted',
    pause: 'was paused',
    unpause: 'goes on',
    pull: 'was pulled',
    push: 'was pushed',
    build: 'was built',
    load: 'was loaded',
    import: 'was imported',
    delete: 'was deleted',
  }
  return `${what} ${said[action] ?? action} (${engine})`
}

/** A shell's way to tell that a signal ended it. */
function signalOf(exitCode: string | undefined): string {
  const name = signalName(Number(exitCode))
  return name === undefined ? '' : ` (${name})`
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** undefined when the exit code tells of none. */
export function signalName(exitCode: number): string | undefined {
  return SIGNALS.get(exitCode - 128)
}
