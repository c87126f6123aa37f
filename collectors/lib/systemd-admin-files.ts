import type { Artifact, Kit } from '../../src/collector.ts'
import { configFiles } from './config-files.ts'

/** Where an administrator, or a tool for one, puts units; what packages ship is under /usr/lib. */
const places = [
  '/etc/systemd/system',
  '/etc/systemd/system.control',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
]
const unitFile = /\.(service|socket|timer|mount|automount|path|slice|target|swap|conf)$/
/** A host with more has generated them. */
const mostFiles = 500

/** Unit files and drop-ins made by hand, whole; links (enabled, aliased, masked units) as one list. */
export async function* adminUnitFiles(kit: Kit): AsyncGenerator<Artifact> {
  const paths = await kit.glob(...places.map((place) => `${place}/**`))
  const links: string[] = []
  let files = 0
  for (const path of paths) {
    const target = await kit.readlink(path)
    if (target !== undefined) links.push(`${path} -> ${target}${target === '/dev/null' ? '  (masked)' : ''}\n`)
    else if (unitFile.test(path) && (await kit.stat(path))?.kind === 'file') {
      if (++files <= mostFiles) yield kit.file(path).as(`unit-files${path}`)
    }
  }
  if (files > mostFiles)
    yield kit.skipped('unit-files/more', `${files - mostFiles} more unit files than ${mostFiles} exist`)
  yield kit.text('unit-links.txt', () => links.join(''))
  yield* configFiles(kit, 'config', '/etc/systemd/*.conf', '/etc/systemd/*.conf.d/*.conf')
}
