/** Whether a database is written to, and what has to be told of it. */
import type { Label } from './book.ts'
import { StoreError } from './error.ts'
import type { Status } from './protocol.ts'
import type { Down } from './thread.ts'
import { resumedNotice, setAsideNotice, setAsideText, type Notice } from './words.ts'

export interface StoreHealth {
  readonly state: Status['state']
  /** Why it is not recording, what was set aside, and what else is worth knowing: for people. */
  readonly problems: readonly string[]
  /** The database and its write-ahead log. */
  readonly sizeBytes: number
  readonly rows: number
  /** What was not taken since the start. */
  readonly refused: number
}

export interface State {
  said(status: Status): void
  /** The thread is gone, and what it knew. */
  readonly broke: (down: Down) => void
  status(): Status | undefined
  refused(units: number): void
  /** @throws StoreError. */
  refuseWhileStopped(): void
  /** `waiting` units wait, the oldest of them for so long. */
  health(waitingMs: number, waiting: number): StoreHealth
}

/** A disk that has not answered for so long is worth a word. */
const SLOW_MS = 10_000

export function createState(label: Label, tell: (notice: Notice) => void): State {
  const { words } = label
  let status: Status | undefined
  let stopped: (Down & { sinceMs: number }) | undefined
  let refused = 0
  let refusedNow = 0
  /** What came from beside the database, in its thread; a new thread begins at 0. */
  const countRefused = (before: number, now: number) => {
    const more = now < before ? now : now - before
    refused += more
    refusedNow += more
  }
  return {
    said(now) {
      countRefused(status?.refused ?? 0, now.refused)
      for (const one of now.setAside.slice(status?.setAside.length ?? 0)) tell(setAsideNotice(label, one))
      status = now
      if (now.state !== 'recording') {
        stopped = { code: now.state, reason: now.reason ?? '', sinceMs: stopped?.sinceMs ?? now.sinceMs ?? Date.now() }
        return
      }
      if (stopped) tell(resumedNotice(label, { ...stopped, refused: refusedNow }))
      stopped = undefined
      refusedNow = 0
    },
    broke(down) {
      stopped = { ...down, sinceMs: stopped?.sinceMs ?? Date.now() }
      if (status) status = { ...status, setAside: [], generation: 0 }
    },
    status: () => status,
    refused(units) {
      refused += units
      refusedNow += units
    },
    refuseWhileStopped() {
      if (stopped) throw new StoreError(stopped.code, stopped.reason)
    },
    health(waitingMs, waiting) {
      const { setAside = [], notes = [], sizeBytes = 0, rows = 0 } = status ?? {}
      const problems = setAside.map((one) => setAsideText(label, one))
      problems.push(...notes.map((note) => `${words.database}: ${note}`))
      if (stopped)
        problems.unshift(
          `${words.kept} are not recorded since ${new Date(stopped.sinceMs).toISOString()}: ${stopped.reason}`,
        )
      if (waitingMs > SLOW_MS)
        problems.push(`The disk has not taken ${words.units} for ${Math.round(waitingMs / 1000)} s; ${waiting} wait`)
      return { state: stopped?.code ?? 'recording', problems, sizeBytes, rows, refused }
    },
  }
}
