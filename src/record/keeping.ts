/** What follows containers, as the daemon has it: there from the first moment, opened behind it, and off with a reason where it cannot be. */
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerTail, TailHealth } from './containers/container.ts'

export interface KeepingHealth extends Partial<Omit<TailHealth, 'engines' | 'problems'>> {
  /** `starting`: it opens. `off`: it cannot be opened. */
  readonly state: 'starting' | 'following' | 'off'
  readonly problems: readonly string[]
  readonly engines?: readonly FollowedEngine[]
}

/** With a time for people. */
type FollowedEngine = Omit<TailHealth['engines'][number], 'sinceMs'> & { readonly since: string }

export interface Keeping {
  /** Opens it, in the background. */
  start(): void
  /** Resolves when what engines handed over by now can be read; a few seconds at most. Never rejects. */
  flush(): Promise<void>
  health(): KeepingHealth
  /** Bounded: an engine or a disk that does not answer holds it for seconds only. */
  close(): Promise<void>
}

/** Whoever reads would rather have what is on the disk than wait for it longer. */
const FLUSH_MS = 3000
const CLOSE_MS = 3000

/** What it is told is the business of who opens it. */
type Opened = Omit<ContainerTail, 'heard'>

/** `open` may reject: then it is off. */
export function createKeeping(open: () => Promise<Opened>): Keeping {
  let opening: Promise<void> | undefined
  let tail: Opened | undefined
  let failure: string | undefined
  const begin = async () => {
    try {
      tail = await open()
    } catch (error) {
      failure = (error as Error).message
    }
  }
  return {
    start() {
      opening ??= begin()
    },
    flush: () => within(tail?.flush(), FLUSH_MS),
    health() {
      if (failure !== undefined) return { state: 'off', problems: [`Containers are not followed: ${failure}`] }
      return tail ? { state: 'following', ...shown(tail.health()) } : { state: 'starting', problems: [] }
    },
    close: () =>
      within(
        opening?.then(() => tail?.close()),
        CLOSE_MS,
      ),
  }
}

function shown({ engines, ...facts }: TailHealth): Omit<KeepingHealth, 'state'> {
  const told = engines.map(({ sinceMs, ...engine }) => ({ ...engine, since: new Date(sinceMs).toISOString() }))
  return { engines: told, ...facts }
}

/** What is wrong is told by its health. */
async function within(work: Promise<void> | undefined, milliseconds: number): Promise<void> {
  const late = new AbortController()
  const patience = delay(milliseconds, undefined, { signal: late.signal })
  await Promise.race([work?.catch(() => {}), patience.catch(() => {})])
  late.abort()
}
