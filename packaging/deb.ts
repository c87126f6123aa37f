/**
 * The Debian package. Written here and not by dpkg-deb, so that every machine writes it, for every architecture, in the
 * same bytes: those of dpkg-deb depend on its version and that of its compressor.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { arOf, sorted, tarOf, type TreeFile } from './archive.ts'
import { TOP } from './places.ts'
import type { Arch } from './runtime.ts'

export const DEBIAN_ARCH: Record<Arch, string> = { x64: 'amd64', arm64: 'arm64' }

const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const

/** Unpacked in half a second, where xz takes three; level 19 takes half a minute and more to save a tenth. */
const LEVEL = 9
const FAST_LEVEL = 1
const compress = promisify(zstdCompress)

export interface DebOptions {
  readonly version: string
  readonly arch: Arch
  readonly mtime: Date
  readonly fast: boolean
}

export async function debOf(files: readonly TreeFile[], options: DebOptions): Promise<Buffer> {
  const { mtime, fast } = options
  const level = fast ? FAST_LEVEL : LEVEL
  const zstd = { params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 } }
  const control = await tarOf([...(await scripts()), ...facts(files, options)], './', mtime)
  const data = await tarOf(files, './', mtime)
  const members = [
    { name: 'debian-binary', content: Buffer.from('2.0\n') },
    { name: 'control.tar.zst', content: await compress(control, zstd) },
    { name: 'data.tar.zst', content: await compress(data, zstd) },
  ]
  return arOf(members, mtime)
}

async function scripts(): Promise<TreeFile[]> {
  return Promise.all(
    SCRIPTS.map(async (path) => ({ path, mode: 0o755, content: await readFile(join(TOP, 'packaging/debian', path)) })),
  )
}

function facts(files: readonly TreeFile[], { version, arch }: DebOptions): TreeFile[] {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0)
  const control = [
    'Package: diagd',
    `Version: ${version}`,
    `Architecture: ${DEBIAN_ARCH[arch]}`,
    'Maintainer: the diagd authors <diagd@example.org>',
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    // What the Node in it is linked against (ldd), and the symbols it asks of them; of glibc, SQLite asks for more (2.34).
    'Depends: libc6 (>= 2.34), libgcc-s1, libstdc++6 (>= 5)',
    'Section: admin',
    'Priority: optional',
    'Description: flight recorder of a cloud VM',
    ' Hands over what an engineer wants to see of a sick machine as one streamed',
    ' .tar.gz: boot, kernel, journal and logs, units, network, storage, processes,',
    ' containers. Known secrets are masked before they leave the process.',
    ' .',
    ' Brings its own Node.js; needs no network and no other package at run time.',
  ]
  const configuration = files.filter(({ path }) => path.startsWith('etc/')).map(({ path }) => `/${path}`)
  const sums = sorted(files)
    .filter(({ path }) => !path.startsWith('etc/'))
    .map(({ path, content }) => {
      return `${createHash('md5').update(content).digest('hex')}  ${path}`
    })
  return [
    { path: 'control', mode: 0o644, content: lines(control) },
    { path: 'conffiles', mode: 0o644, content: lines(configuration) },
    { path: 'md5sums', mode: 0o644, content: lines(sums) },
  ]
}

function lines(all: readonly string[]): Buffer {
  return Buffer.from(all.map((line) => `${line}\n`).join(''))
}
