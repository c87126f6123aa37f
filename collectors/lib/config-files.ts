import type { Artifact, Kit } from '../../src/collector.ts'

/** What links in configuration folders lead to: `/etc/sysctl.d/99-sysctl.conf` to `/etc/sysctl.conf`. */
const within = ['/etc', '/usr', '/run']

/**
 * Configuration files, as far as they exist, under `folder` with their path below `/etc` (or whole path). Most hosts
 * have few of the many that one asks for: an entry about each that is not there would bury those that are.
 */
export async function* configFiles(kit: Kit, folder: string, ...globs: readonly string[]): AsyncGenerator<Artifact> {
  for (const path of await kit.glob(...globs)) {
    if (!(await readable(kit, path))) continue
    yield kit.file(path, { within }).as(`${folder}/${path.replace(/^\/etc\//, '').replace(/^\//, '')}`)
  }
}

/** Folders are not, nor links that lead nowhere; a file that may not be read is left to the engine, which says why. */
async function readable(kit: Kit, path: string): Promise<boolean> {
  const kind = (await kit.stat(path))?.kind
  return kind === 'file' || (kind === 'link' && (await kit.read(path, 1)) !== undefined)
}
