/** Follows /var/log/cloud-init.log: its events and the place in the file are stored together. */
import { setTimeout as delay } from 'node:timers/promises'
import { ownType } from '../classify/own.ts'
import { readOn, type Part, type Place } from './file.ts'
import { CloudInitReader } from './reader.ts'
import type { NewEvent } from '../events/event.ts'
import type { FollowSink } from '../events/follow-writer.ts'

export interface CloudInitFollowOptions {
  readonly sink: FollowSink
  readonly file: string
  /** Which boot a moment belongs to: the log does not say. */
  readonly bootAt: (timeMs: number) => Promise<string>
  /** Milliseconds between two looks. */
  readonly everyMs?: number
}

export interface CloudInitHealth {
  readonly events: number
  /** For people. */
  readonly problem?: string
}

export interface CloudInitFollower {
  health(): CloudInitHealth
  close(): Promise<void>
}

const CLOUD_INIT_CURSOR = 'cloud-init'
/** A look is one stat of one file. */
const EVERY_MS = 5000

interface State {
  readonly place?: Place
  /** When the machine started, as the log told last. */
  readonly startMs?: number
}

/** Starts at once, in the background. */
export function followCloudInit(options: CloudInitFollowOptions): CloudInitFollower {
  const { sink, everyMs = EVERY_MS } = options
  const closing = new AbortController()
  const { signal } = closing
  let events = 0
  let problem: string | undefined
  const run = async () => {
    while (!signal.aborted) {
      try {
        const state = decode(await sink.cursor(CLOUD_INIT_CURSOR))
        for (let next: State | undefined = state; next !== undefined && !signal.aborted;) {
          const step = await takeStep(options, next)
          events += step?.events ?? 0
          next = step?.state
        }
        problem = undefined
      } catch (error) {
        problem = (error as Error).message
      }
      await delay(everyMs, undefined, { signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    health: () => ({ events, ...(problem === undefined ? {} : { problem }) }),
    async close() {
      closing.abort()
      await running
    },
  }
}

/** Reads and stores one part; undefined when there is nothing new. */
async function takeStep(
  options: CloudInitFollowOptions,
  state: State,
): Promise<{ state: State; events: number } | undefined> {
  const part = await readOn(options.file, state.place)
  if (part === undefined) return undefined
  const { events, startMs } = await eventsOf(part, state, options)
  const next: State = { place: part.place, ...(startMs === undefined ? {} : { startMs }) }
  await options.sink.append(events, { name: CLOUD_INIT_CURSOR, value: JSON.stringify(next) })
  return { state: next, events: events.length }
}

async function eventsOf({ lines, hole }: Part, { startMs }: State, { bootAt, file }: CloudInitFollowOptions) {
  const reader = new CloudInitReader(startMs)
  const events: NewEvent[] = []
  if (hole) events.push(holeEvent(file, await bootAt(Date.now())))
  for (const line of lines) {
    const event = reader.read(line)
    if (event) events.push({ ...event, bootId: await bootAt(event.timeMs) })
  }
  return { events, startMs: reader.startMs }
}

function holeEvent(file: string, bootId: string): NewEvent {
  const message = `${file} is another file, or a shorter one, than it was: what was written between is not known`
  return { timeMs: Date.now(), bootId, ...ownType('cloud-init.log-hole'), subject: file, message }
}

function decode(value: string | undefined): State {
  try {
    return value === undefined ? {} : (JSON.parse(value) as State)
  } catch {
    return {}
  }
}
