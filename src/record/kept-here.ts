/** What is kept of containers, for the daemon that follows them and for a bundle that is made beside it: from the state folder alone. */
import { join } from 'node:path'
import type { ContainersRecorded } from '../collect/recorded-containers.ts'
import type { RedactionDeps } from '../collect/redaction.ts'
import { patiently } from '../sources/patience.ts'
import { getJson, type UnixHttpContext } from '../sources/unix-http.ts'
import type { KeptContainers } from './containers/container.ts'
import type { Keeping } from './keeping.ts'

type Masks = Pick<RedactionDeps, 'nodeKey' | 'settings'>

/** @param masks are known when somebody asks. */
export function keptHere(keeping: Pick<Keeping, 'flush'>, stateDir: string, masks: () => Masks): ContainersRecorded {
  return keptIn(stateDir, masks, () => keeping.flush())
}

/** A disk that has not told by then does not answer. A thousand containers take a second. */
const ANSWER_MS = 10_000

const patience = () => ({ ms: ANSWER_MS, signal: NEVER })
const NEVER = new AbortController().signal

/** Longer than the daemon takes for it. */
const FLUSH_MS = 3500

/** @param socket of the daemon, whether or not there is one. */
export function keptBeside(socket: string, stateDir: string, masks: () => Masks): ContainersRecorded {
  return keptIn(stateDir, masks, async () => {
    const spec = { socket, path: '/containers?limit=0', timeoutMs: FLUSH_MS }
    // Without a daemon to ask, what it wrote until now is all there is.
    await getJson(spec, surroundings()).catch(() => {})
  })
}

function surroundings(): UnixHttpContext {
  const limits = { entryBytes: Infinity, headBytes: 0, commandMs: FLUSH_MS, stallMs: FLUSH_MS }
  const machine = { root: '', path: '', timeZone: 'UTC', dbus: { dead: false }, intervals: async () => [] }
  return { ...machine, limits, signal: AbortSignal.timeout(FLUSH_MS) }
}

/** Loaded when somebody asks: READY does not wait for it. */
function keptIn(stateDir: string, masks: () => Masks, flush: () => Promise<void>): ContainersRecorded {
  const folder = join(stateDir, 'containers')
  let loaded: Promise<KeptContainers> | undefined
  const load = () => (loaded ??= import('./containers/kept.ts').then(({ createKept }) => createKept(stateDir)))
  const list = oneAtATime(async () => (await load()).list())
  const known = oneAtATime(async () => {
    const { KnownValues } = await import('./containers/keep/known-values.ts')
    return KnownValues.read(folder, masks().nodeKey.bytes)
  })
  return {
    origin: folder,
    flush,
    list: () => patiently(list(), folder, patience()),
    async *log(container, span) {
      yield* (await load()).log(container, span)
    },
    document: async (container, name) => (await load()).document(container, name),
    async open(container, engine, ctx) {
      const { openJoined } = await import('./containers/join/join-log.ts')
      return openJoined({ kept: await load(), container }, engine, ctx)
    },
    async maskedWith(live) {
      const { settings } = masks()
      if (settings === 'unknown') return { rules: undefined, values: Infinity }
      const { rulesVersion } = await import('./containers/follow/secrets.ts')
      const rules = rulesVersion(settings)
      if (live.length === 0) return { rules, values: 0 }
      const today = await patiently(known(), folder, patience()).catch(() => undefined)
      return { rules, values: today?.covering(live) ?? Infinity }
    },
  }
}

/** Whoever asks gets what began after that. A disk that hangs holds one thread of Node's four, and not all. */
function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  return () => {
    next ??= running.then(() => {
      next = undefined
      const begun = work()
      running = begun.catch(() => {})
      return begun
    })
    return next
  }
}
