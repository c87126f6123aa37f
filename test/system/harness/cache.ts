/** Where the root file system and the test machines are kept: outside the checkout, safe to remove when no test runs. */
import { join } from 'node:path'

/** Under XDG_CACHE_HOME, else ~/.cache, else (a service of a CI has no HOME) /var/cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'] || (env['HOME'] ? join(env['HOME'], '.cache') : '/var/cache')
  return join(base, 'diagd-system-test')
}

/** One folder per test machine, named like it. On the file system of the root that is copied there. */
export const machinesFolder = () => join(cacheFolder(), 'machines')
