/** Where the root file system and the test machines are kept: outside the checkout, safe to remove when no test runs. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunning } from './processes.ts'

/** Under XDG_CACHE_HOME, else ~/.cache, else (a service of a CI has no HOME) /var/cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'] || (env['HOME'] ? join(env['HOME'], '.cache') : '/var/cache')
  return join(base, 'diagd-system-test')
}

/** One folder per test machine, named like it. On the file system of the root that is copied there. */
export const machinesFolder = () => join(cacheFolder(), 'machines')

/** A folder of this process, empty; those of the same kind whose processes were killed go. */
export async function folderOfThisRun(kind: string): Promise<string> {
  await mkdir(cacheFolder(), { recursive: true })
  for (const name of await readdir(cacheFolder())) {
    const [, pid] = name.split(`${kind}-of-`)
    if (pid && !isRunning(Number(pid))) await rm(join(cacheFolder(), name), { recursive: true, force: true })
  }
  const folder = join(cacheFolder(), `${kind}-of-${process.pid}`)
  await mkdir(folder)
  return folder
}
