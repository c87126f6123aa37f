/** Secrets that this machine's containers and configuration hold, gathered before anything is sent that could repeat them. */
import type { Engine, Kit } from '../collector.ts'
import { isTelling } from '../redact/live.ts'
import { secretKind } from '../redact/pairs/words.ts'
import { patiently } from '../sources/patience.ts'

/** summary.txt waits for it. An engine that does not answer has nothing masked by value, by rule it has. */
const PATIENCE_MS = 1200
/** One answer each. */
const MOST_CONTAINERS = 500

export interface LiveValues {
  readonly values: readonly string[]
  /** What could not be asked. */
  readonly problems: readonly string[]
  /** A file of secrets could not be read: what stands in it would get out. */
  readonly distrust: string | undefined
}

export async function liveValues(kit: Kit, configured: () => Promise<readonly string[]>): Promise<LiveValues> {
  const values = new Set<string>()
  const problems: string[] = []
  let distrust: string | undefined
  const gather = async (what: string, work: (signal: AbortSignal) => Promise<void>, vital = false) => {
    try {
      await patiently(work(kit.signal), what, { ms: PATIENCE_MS, signal: kit.signal })
    } catch (error) {
      kit.signal.throwIfAborted()
      const problem = `${what}: ${error instanceof Error ? error.message : String(error)}`
      problems.push(problem)
      if (vital) distrust = problem
    }
  }
  await Promise.all([
    gather(
      'files of secrets that the configuration names',
      async () => {
        for (const value of await configured()) values.add(value)
      },
      true,
    ),
    gather('environment of containers', async () => {
      const { present } = await kit.engines()
      await Promise.all(present.map((engine) => environment(engine, values)))
    }),
  ])
  return { values: [...values].filter(isTelling), problems, distrust }
}

async function environment(engine: Engine, values: Set<string>): Promise<void> {
  const containers = (await engine.get('/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of containers.slice(0, MOST_CONTAINERS)) {
    // It may be gone by now; then nothing of it is collected either.
    const inspected = (await engine.get(`/containers/${Id}/json`).catch(() => undefined)) as
      | { Config?: { Env?: readonly string[] | null } }
      | undefined
    for (const variable of inspected?.Config?.Env ?? []) {
      const at = variable.indexOf('=')
      if (at > 0 && secretKind(variable.slice(0, at), NONE) !== undefined) values.add(variable.slice(at + 1))
    }
  }
}

const NONE: ReadonlySet<string> = new Set()
