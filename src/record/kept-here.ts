/** What is kept of containers, for the daemon that follows them and for a bundle that is made beside it: from the state folder alone. */
import { join } from 'node:path'
import type { ContainersRecorded } from '../collect/recorded-containers.ts'
import type { RedactionDeps } from '../collect/redaction.ts'
import { getJson, type UnixHttpContext } from '../sources/unix-http.ts'
import type { KeptContainers } from './containers/container.ts'
import type { Keeping } from './keeping.ts'

type Masks = Pick<RedactionDeps, 'nodeKey' | 'settings'>

/** @param masks are known when somebody asks. */
export function keptHere(keeping: Pick<Keeping, 'flush'>, stateDir: string, masks: () => Masks): ContainersRecorded {
  return keptIn(stateDir, masks, () => keeping.flush())
}

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
  return {
    origin: folder,
    flush,
    list: async () => (await load()).list(),
    async *log(container, span) {
      yield* (await load()).log(container, span)
    },
    document: async (container, name) => (await load()).document(container, name),
    async maskedWith(live) {
      const { nodeKey, settings } = masks()
      if (settings === 'unknown') return { rules: undefined, values: Infinity }
      const { rulesVersion } = await import('./containers/follow/secrets.ts')
      const { KnownValues } = await import('./containers/keep/known-values.ts')
      const rules = rulesVersion(settings)
      if (live.length === 0) return { rules, values: 0 }
      const known = await KnownValues.read(folder, nodeKey.bytes).catch(() => undefined)
      return { rules, values: known?.covering(live) ?? Infinity }
    },
  }
}
