/** What is kept of containers, for whoever asks: from the disk alone. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { ContainerFacts, KeptContainer, KeptContainers } from './container.ts'
import { readDocument } from './keep/document.ts'
import { readLog, readLogFacts } from './keep/read-log.ts'

const AT_ONCE = 8

/** Of the state folder. */
export function createKept(stateDir: string): KeptContainers {
  const folder = containersFolder(stateDir)
  return {
    async list() {
      const listed: KeptContainer[] = []
      for (const engine of subfolders(folder)) {
        for (const [id, facts] of keptFacts(join(folder, engine))) {
          const kept = withLog(facts, join(folder, engine, id))
          if (kept) listed.push(kept)
          // Each takes a millisecond or less, and there may be a thousand.
          if (listed.length % AT_ONCE === 0) await setImmediate()
        }
      }
      return listed.toSorted(byLife)
    },
    log: (container, span) => readLog(container.folder, span),
    document: async (container, name) => readDocument(container.folder, name),
  }
}

export function containersFolder(stateDir: string): string {
  return join(stateDir, 'containers')
}

/** What is known of the containers of an engine, by id; `folder`: of the engine. */
export function keptFacts(folder: string): Map<string, ContainerFacts> {
  const facts = subfolders(folder).map((id) => [id, factsIn(join(folder, id))] as const)
  return new Map(facts.filter((one): one is [string, ContainerFacts] => one[1] !== undefined))
}

/** undefined when it is forgotten just now. */
function withLog(facts: ContainerFacts, folder: string): KeptContainer | undefined {
  const none = { lines: 0, ambiguous: 0, dropped: { flood: 0, cap: 0, withheld: 0 } }
  try {
    return { ...facts, folder, log: { ...(readLogFacts(folder) ?? none), diskBytes: bytesIn(folder) } }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function factsIn(folder: string): ContainerFacts | undefined {
  try {
    const bytes = readDocument(folder, 'state.json')
    return bytes && (JSON.parse(bytes.toString()) as ContainerFacts)
  } catch {
    return undefined
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce(
    (all, name) => all + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

/** Those that exist first, the newest first. */
function byLife(a: KeptContainer, b: KeptContainer): number {
  const gone = Number(a.state === 'removed') - Number(b.state === 'removed')
  return gone || (b.removedMs ?? b.createdMs ?? 0) - (a.removedMs ?? a.createdMs ?? 0)
}
