/** The collectors: every file of the collectors folder, the drop-ins, and the extras. Its file name is its id. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Collector } from '../collector.ts'
import { loadDropIns } from './drop-ins.ts'
import { loadExtras } from './extras.ts'
import type { RegisteredCollector } from './types.ts'

export interface Registry {
  readonly collectors: readonly RegisteredCollector[]
  /** What could not be loaded, in sentences; never fatal. */
  readonly problems: readonly string[]
}

const BUILT_IN = new URL('../../collectors/', import.meta.url)

/** Names that belong to the bundle or to collectors to come; no drop-in may take them. */
const RESERVED = ['events', 'metrics', 'extras', 'index', 'summary', 'manifest', 'findings', 'trace']

/** @param configDir holds collectors.d and extras.d; `uid` may own them besides root. */
export async function loadRegistry(configDir: string, uid: number): Promise<Registry> {
  const builtIn = await loadBuiltIn()
  const taken = new Set([...builtIn.map(({ id }) => id), ...RESERVED])
  const dropIns = await loadDropIns(`${configDir}/collectors.d`, uid, taken)
  const extras = await loadExtras(`${configDir}/extras.d`, uid)
  return {
    collectors: [...builtIn, ...dropIns.collectors, ...extras.collectors],
    problems: [...dropIns.problems, ...extras.problems],
  }
}

async function loadBuiltIn(): Promise<RegisteredCollector[]> {
  const files = readdirSync(fileURLToPath(BUILT_IN)).filter((name) => name.endsWith('.ts'))
  return Promise.all(
    files.sort().map(async (file) => {
      const module = (await import(new URL(file, BUILT_IN).href)) as { default: Collector }
      return { id: file.slice(0, -'.ts'.length), collector: module.default }
    }),
  )
}
