import type { Artifact, Kit } from '../../src/collector.ts'

/** The files that match, each under its path on the host (`etc/netplan/50-cloud-init.yaml`); one word where none does. */
export async function* hostFiles(kit: Kit, ...globs: readonly string[]): AsyncGenerator<Artifact> {
  const paths = await kit.glob(...globs)
  if (paths.length === 0) yield none(kit, globs)
  for (const path of paths) yield kit.file(path).as(path.slice(1))
}

/** The same; those that `without` takes something out of are made from what is left. */
export async function* cleanedFiles(
  kit: Kit,
  globs: readonly string[],
  without: (text: string) => string,
): AsyncGenerator<Artifact> {
  const paths = await kit.glob(...globs)
  if (paths.length === 0) yield none(kit, globs)
  for (const path of paths) {
    const text = await kit.read(path)
    const left = text === undefined ? undefined : without(text)
    if (left === undefined || left === text) yield kit.file(path).as(path.slice(1))
    else yield kit.text(path.slice(1), () => left)
  }
}

function none(kit: Kit, globs: readonly string[]): Artifact {
  return kit.skipped(globs[0]!.split('/')[1]!, `none of these is there: ${globs.join(' ')}`)
}
