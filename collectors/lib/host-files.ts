import type { Artifact, Kit } from '../../src/collector.ts'

/** The files that match, each under its path on the host (`etc/netplan/50-cloud-init.yaml`); one word where none does. */
export async function* hostFiles(kit: Kit, ...globs: readonly string[]): AsyncGenerator<Artifact> {
  const paths = await kit.glob(...globs)
  const folder = globs[0]!.split('/')[1]!
  if (paths.length === 0) yield kit.skipped(folder, `none of these is there: ${globs.join(' ')}`)
  for (const path of paths) yield kit.file(path).as(path.slice(1))
}
