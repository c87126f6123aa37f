/** Events on their way to the thread: grouped, so that a commit is shared by many, and limited. */
import { StoreError } from '../store/error.ts'
import type { Job } from './write.ts'

/** Between two commits. The first event after a pause does not wait. */
const GROUP_MS = 100
/** So many do not wait for the time either. */
const GROUP_EVENTS = 500
/** What has come while the disk was busy goes together, up to so many. */
const COMMIT_EVENTS = 2000
/** That wait, or are being written: what a disk that stands still may cost in memory. */
const MOST_EVENTS = 10_000
const MOST_CHARACTERS = 16 * 1024 * 1024

export interface StoreQueue {
  /** Resolves with the id of the first. @throws StoreError `busy`, `invalid`, or what the thread says. */
  add(job: Job): Promise<number>
  /** Events that wait. */
  waiting(): number
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

interface Waiting {
  readonly job: Job
  readonly characters: number
  readonly resolve: (first: number) => void
  readonly reject: (error: unknown) => void
}

export function createStoreQueue(commit: (jobs: readonly Job[]) => Promise<number>): StoreQueue {
  const jobs: Waiting[] = []
  let events = 0
  let characters = 0
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let lastMs = -Infinity

  const schedule = () => {
    if (sending || jobs.length === 0) return
    const now = performance.now()
    const waitMs = events >= GROUP_EVENTS ? 0 : Math.max(0, lastMs + GROUP_MS - now)
    clearTimeout(timer)
    timer = setTimeout(() => {
      sending = send().finally(() => {
        sending = undefined
        schedule()
      })
    }, waitMs)
  }
  const send = async () => {
    const group = takeGroup(jobs)
    lastMs = performance.now()
    try {
      let first = await commit(group.map(({ job }) => job))
      for (const { job, resolve } of group) {
        resolve(first)
        first += job.rows.length
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    } finally {
      for (const one of group) {
        events -= one.job.rows.length
        characters -= one.characters
      }
    }
  }
  return {
    add(job) {
      const more = job.rows.length
      if (more > MOST_EVENTS) throw new StoreError('invalid', `${more} events at once; accepted: ${MOST_EVENTS}`)
      const length = charactersOf(job)
      if (events + more > MOST_EVENTS || characters + length > MOST_CHARACTERS)
        throw new StoreError('busy', `${events} events wait for the disk already`)
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      jobs.push({ job, characters: length, resolve, reject })
      events += more
      characters += length
      schedule()
      return promise
    },
    waiting: () => events,
    async idle() {
      while (jobs.length > 0 || sending) {
        if (sending) await sending
        else await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}

/** The oldest, as many as one commit takes; a job is never parted. */
function takeGroup(jobs: Waiting[]): Waiting[] {
  let count = 0
  const end = jobs.findIndex(({ job }) => {
    count += job.rows.length
    return count > COMMIT_EVENTS
  })
  return jobs.splice(0, end === -1 ? jobs.length : Math.max(end, 1))
}

function charactersOf({ rows }: Job): number {
  const of = (text: string | null) => text?.length ?? 0
  return rows.reduce((sum, { subject, message, detail }) => sum + of(subject) + of(message) + of(detail), 0)
}
