/** diagd's own life as events: how the run before ended is known from what it left in the store. */
import { ownType } from '../classify/own.ts'
import type { Cursor, NewEvent } from '../events/event.ts'

const NAME = 'life'

/** What a run leaves: when it starts that it runs, when it is told to stop that it stopped. */
interface Life {
  readonly state: 'running' | 'stopped'
  readonly bootId: string
  readonly pid: number
  readonly version: string
}

export interface Moment {
  readonly timeMs: number
  readonly monotonicMs: number
  readonly bootId: string
}

export interface Words {
  readonly events: readonly NewEvent[]
  readonly cursor: Cursor
}

export const LIFE_CURSOR = NAME

/** What is to be said when it starts; `left` is the value of the cursor, if there is one. */
export function startWords(left: string | undefined, moment: Moment, version: string): Words {
  const before = decode(left)
  const ended = endOf(before, moment.bootId)
  const message = `diagd ${version} starts; ${ENDINGS[ended]}`
  const started = { ...moment, ...ownType('diagd.started'), subject: version, message, detail: { before: ended } }
  const crashed =
    ended === 'killed'
      ? [{ ...moment, ...ownType('diagd.crashed'), subject: before!.version, message: ENDINGS.killed }]
      : []
  return { events: [...crashed, started], cursor: markOf('running', moment, version) }
}

export function stopWords(moment: Moment, version: string): Words {
  const message = `diagd ${version} was told to stop`
  const event = { ...moment, ...ownType('diagd.stopped'), subject: version, message }
  return { events: [event], cursor: markOf('stopped', moment, version) }
}

type Ending = keyof typeof ENDINGS

const ENDINGS = {
  none: 'it is the first time here',
  stopped: 'the run before was told to stop',
  killed: 'the run before was killed or crashed, while the machine went on',
  machine: 'the run before ended together with the machine, without having been told',
} as const

function endOf(before: Life | undefined, bootId: string): Ending {
  if (before === undefined) return 'none'
  if (before.state === 'stopped') return 'stopped'
  return before.bootId === bootId ? 'killed' : 'machine'
}

function markOf(state: Life['state'], { bootId }: Moment, version: string): Cursor {
  return { name: NAME, value: JSON.stringify({ state, bootId, pid: process.pid, version } satisfies Life) }
}

function decode(value: string | undefined): Life | undefined {
  try {
    return value === undefined ? undefined : (JSON.parse(value) as Life)
  } catch {
    return undefined
  }
}
