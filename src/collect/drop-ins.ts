/** Collectors of the machine's owner: `/etc/diagd/collectors.d/*.{ts,js,mjs}`, the same object as a built-in. */
import { pathToFileURL } from 'node:url'
import type { Collector } from '../collector.ts'
import type { RegisteredCollector } from './types.ts'
import { TIERS } from './types.ts'
import { trustedFiles } from './trusted-files.ts'

const FILE_NAME = /^([a-z][a-z0-9-]{0,40})\.(?:ts|js|mjs)$/

/** Importing one may run its code at top level: it gets this long. */
const IMPORT_MS = 5000

export async function loadDropIns(
  folder: string,
  uid: number,
  taken: Set<string>,
): Promise<{ collectors: RegisteredCollector[]; problems: string[] }> {
  const { files, problems } = await trustedFiles(folder, uid)
  const collectors: RegisteredCollector[] = []
  for (const file of files) {
    try {
      const id = idOf(file)
      if (taken.has(id)) throw new Error(`the name "${id}" is taken by a built-in collector or another drop-in`)
      collectors.push({ id, collector: await importCollector(`${folder}/${file}`) })
      taken.add(id)
    } catch (error) {
      problems.push(`${folder}/${file} is not used: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { collectors, problems }
}

function idOf(file: string): string {
  const id = FILE_NAME.exec(file)?.[1]
  if (id === undefined) {
    throw new Error('its name has to be lower-case letters, digits and dashes, ending in .ts, .js or .mjs')
  }
  return id
}

async function importCollector(path: string): Promise<Collector> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`importing it took longer than ${IMPORT_MS / 1000} s`)), IMPORT_MS)
  try {
    const module = (await Promise.race([import(pathToFileURL(path).href), late])) as { default?: unknown }
    return checked(module.default)
  } finally {
    clearTimeout(timer)
  }
}

/** @throws naming what of the contract is not kept. */
function checked(value: unknown): Collector {
  if (typeof value !== 'object' || value === null)
    throw new Error('its default export has to be a collector (an object)')
  const { title, tier, collect } = value as Partial<Collector>
  if (typeof title !== 'string' || title === '') throw new Error('"title" has to be a sentence')
  if (tier === undefined || !TIERS.includes(tier)) throw new Error(`"tier" has to be one of ${TIERS.join(', ')}`)
  if (typeof collect !== 'function') throw new Error('"collect" has to be a (generator) function')
  return value as Collector
}
