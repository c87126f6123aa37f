/** What is kept of containers, for whoever asks: from the disk alone. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerFacts, KeptContainer, KeptContainers } from './container.ts'
import { readDocument } from './keep/document.ts'
import { unlessGone } from './keep/open-log-file.ts'
import { readLog, readLogFacts } from './keep/read-log.ts'

/** Of the state folder. */
export function createKept(stateDir: string): KeptContainers {
  const folder = containersFolder(stateDir)
  return {
    async list() {
      const listed: KeptContainer[] = []
      for (const engine of await subfolders(folder)) {
        for (const [id, facts] of await keptFacts(join(folder, engine))) {
          const kept = await withLog(facts, join(folder, engine, id))
          if (kept) listed.push(kept)
        }
      }
      return listed.toSorted(byLife)
    },
    log: (container, span) => readLog(container.folder, span),
    document: (container, name) => readDocument(container.folder, name),
  }
}

export function containersFolder(stateDir: string): string {
  return join(stateDir, 'containers')
}

/** What is known of the containers of an engine, by id; `folder`: of the engine. */
export async function keptFacts(folder: string): Promise<Map<string, ContainerFacts>> {
  const known = new Map<string, ContainerFacts>()
  for (const id of await subfolders(folder)) {
    const facts = await factsIn(join(folder, id))
    if (facts) known.set(id, facts)
  }
  return known
}

/** undefined when it is forgotten just now. */
async function withLog(facts: ContainerFacts, folder: string): Promise<KeptContainer | undefined> {
  const none = { lines: 0, ambiguous: 0, dropped: { flood: 0, cap: 0, withheld: 0 } }
  const diskBytes = await unlessGone(bytesIn(folder))
  if (diskBytes === undefined) return undefined
  return { ...facts, folder, log: { ...((await readLogFacts(folder)) ?? none), diskBytes } }
}

/** What is known of one container; undefined when nothing is. `folder`: its own. */
export async function factsIn(folder: string): Promise<ContainerFacts | undefined> {
  try {
    const bytes = await readDocument(folder, 'state.json')
    return bytes && (JSON.parse(bytes.toString()) as ContainerFacts)
  } catch {
    return undefined
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) bytes += (await unlessGone(stat(join(folder, name))))?.size ?? 0
  return bytes
}

export async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
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
