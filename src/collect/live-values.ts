/** Secrets that this machine's containers and configuration hold, gathered before anything is sent that could repeat them. */
import type { Engine, Kit } from '../collector.ts'
import { withinBounds } from '../redact/live.ts'
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
  const ofFiles: string[] = []
  /** By container. */
  const ofContainers: string[][] = []
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
        const { values, left } = withinBounds(await configured())
        ofFiles.push(...values)
        if (left > 0) throw new Error(`${left} values more than the ${values.length} that can be looked for`)
      },
      true,
    ),
    gather('environment of containers', async () => {
      const { present } = await kit.engines()
      const more = await Promise.all(present.map((engine) => environment(engine, ofContainers)))
      if (more.some(Boolean)) throw new Error(`only those of ${MOST_CONTAINERS} containers of an engine are known`)
    }),
  ])
  const { values, left } = withinBounds([...ofFiles, ...inTurn(ofContainers)])
  if (left > 0) problems.push(`environment of containers: ${left} values more than can be looked for are not known`)
  return { values, problems, distrust }
}

/** The first of each, the second of each, …: a container with thousands does not push out those of the others. */
function* inTurn(lists: readonly (readonly string[])[]): Generator<string> {
  const longest = lists.reduce((most, { length }) => Math.max(most, length), 0)
  for (let turn = 0; turn < longest; turn++) for (const list of lists) if (turn < list.length) yield list[turn]!
}

/** @returns whether there are more containers than were asked about. */
async function environment(engine: Engine, found: string[][]): Promise<boolean> {
  const containers = (await engine.get('/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of containers.slice(0, MOST_CONTAINERS)) {
    // It may be gone by now; then nothing of it is collected either.
    const inspected = (await engine.get(`/containers/${Id}/json`).catch(() => undefined)) as
      | { Config?: { Env?: readonly string[] | null } }
      | undefined
    found.push(secretVariables(inspected?.Config?.Env ?? []))
  }
  return containers.length > MOST_CONTAINERS
}

/** Values of an environment whose names say that they are secret. */
export function secretVariables(environment: readonly string[]): string[] {
  return environment.flatMap((variable) => {
    const at = variable.indexOf('=')
    return at > 0 && secretKind(variable.slice(0, at), NONE) !== undefined ? [variable.slice(at + 1)] : []
  })
}

const NONE: ReadonlySet<string> = new Set()
