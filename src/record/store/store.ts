/** A database of the recorder as the main thread has it: asked, copied, watched and closed. */
import { join } from 'node:path'
import { openSnapshot, type Snapshot } from '../../sources/sqlite-snapshot.ts'
import type { Book, Label, SettingsOf } from './book.ts'
import { StoreError } from './error.ts'
import { listSetAside } from './files.ts'
import type { Status } from './protocol.ts'
import { createRawHold } from './raw.ts'
import { createState, type State, type StoreHealth } from './state.ts'
import type { Desk, StoreThread } from './thread.ts'
import type { Notice } from './words.ts'

export interface StoreOptions<B extends Book> {
  readonly thread: StoreThread
  /** Where the database is; made where there is none. */
  readonly folder: string
  readonly settings: Omit<SettingsOf<B>, 'path' | 'probeMs'> & { readonly probeMs?: number | undefined }
  /** Takes what is to be told of the database. */
  readonly tell: (notice: Notice) => void
  /** The database can be written to, as far as is known. */
  readonly onRecording?: () => void
}

export interface Store<B extends Book> {
  readonly path: string
  readonly ask: Desk<B>['ask']
  /** Lets nothing in while it is paused, off or closed, and counts what is not kept. @throws StoreError. */
  taking<T>(units: number, take: () => Promise<T>): Promise<T>
  health(waiting: number): StoreHealth
  snapshot(signal?: AbortSignal): Promise<Snapshot>
  setAside(): Promise<readonly string[]>
  /** Waits for `idle`, some seconds at most. */
  close(idle: () => Promise<void>): Promise<void>
}

const PROBE_MS = 1000
const CLOSE_MS = 5000
/** The log is made short before a copy, unless the thread is kept by other things. */
const CHECKPOINT_MS = 1000
const STALL_MS = 15_000

/** Nothing is opened before the first question. */
export function createStore<B extends Book>(label: Label, options: StoreOptions<B>): Store<B> {
  const { thread, folder, settings, tell, onRecording } = options
  const path = join(folder, label.fileName)
  const raw = createRawHold(path)
  const state = createState(label, tell)
  const said = (status: Status) => {
    if (status.generation !== state.status()?.generation) raw.renew()
    state.said(status)
    if (status.state === 'recording') onRecording?.()
  }
  const { probeMs = PROBE_MS } = settings
  const desk = thread.attach<B>(label, { ...settings, path, probeMs } as SettingsOf<B>, { said, broke: state.broke })
  let closed = false
  return {
    path,
    ask: desk.ask,
    taking: (units, take) =>
      taking(state, units, async () => {
        if (closed) throw new StoreError('closed', 'the store is closed')
        return take()
      }),
    health: (waiting) => state.health(desk.waitingMs(), waiting),
    async snapshot(signal = new AbortController().signal) {
      await within(desk.checkpoint(), CHECKPOINT_MS)
      await raw.ready()
      return openSnapshot(path, { patience: { ms: STALL_MS, signal } })
    },
    setAside: () => listSetAside(path),
    async close(idle) {
      closed = true
      await within(idle(), CLOSE_MS)
      const done = desk.opened() && (await within(desk.close(), CLOSE_MS))
      desk.leave()
      if (done) await raw.release()
    },
  }
}

async function taking<T>(state: State, units: number, take: () => Promise<T>): Promise<T> {
  try {
    state.refuseWhileStopped()
    return await take()
  } catch (error) {
    if (error instanceof StoreError && error.code !== 'invalid') state.refused(units)
    throw error
  }
}

/** Whether it was done in time; what comes of it later is let go. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), milliseconds)
  const done = await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    late.promise,
  ])
  clearTimeout(timer)
  return done
}
