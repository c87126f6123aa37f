/** The tarball, for machines without dpkg: the tree of the package, and the script that installs it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { tarOf, type TreeFile } from './archive.ts'
import { TOP } from './places.ts'
import type { Arch } from './runtime.ts'

const compress = promisify(gzip)

interface TarballOptions {
  readonly arch: Arch
  readonly mtime: Date
  readonly fast: boolean
}

/** @param top folder that holds everything in it. */
export async function tarballOf(tree: readonly TreeFile[], top: string, options: TarballOptions): Promise<Buffer> {
  const { arch, mtime, fast } = options
  const script = await readFile(join(TOP, 'packaging/install.sh'))
  const files = [
    ...tree,
    { path: 'install.sh', mode: 0o755, content: script },
    // What install.sh compares with the machine.
    { path: 'arch', mode: 0o644, content: Buffer.from(`${arch}\n`) },
  ]
  // Node's gzip writes neither a time nor a name.
  return compress(await tarOf(files, `${top}/`, mtime), { level: fast ? 1 : 6 })
}
