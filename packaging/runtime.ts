/** The Node that goes into the release: the package of npm for that architecture, held to the checksum of the lockfile. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import tar from 'tar-stream'
import { TOP } from './places.ts'

export const ARCHES = ['x64', 'arm64'] as const
export type Arch = (typeof ARCHES)[number]

export interface Runtime {
  readonly version: string
  /** As it is in the package: not stripped, so that it can be compared with what nodejs.org has. */
  readonly node: Buffer
  readonly license: string
}

interface Locked {
  readonly version: string
  readonly integrity: string
}

const CACHE = join(TOP, 'node_modules/.cache/diagd')
const NODE_PATH = 'package/bin/node'
const LICENSE_PATH = 'package/LICENSE'

export async function readRuntime(arch: Arch): Promise<Runtime> {
  const name = `node-linux-${arch}`
  const { version, integrity } = await locked(name)
  const packed = await fetched(`${name}@${version}`, `${name}-${version}.tgz`, integrity)
  const files = await unpacked(packed, [NODE_PATH, LICENSE_PATH])
  return { version, node: files.get(NODE_PATH)!, license: files.get(LICENSE_PATH)!.toString() }
}

async function locked(name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(TOP, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const found = lock.packages[`node_modules/${name}`]
  if (!found) throw new Error(`package-lock.json has no ${name}`)
  return found
}

/** From the cache, else from the registry; the checksum is looked at either way. */
async function fetched(spec: string, file: string, integrity: string): Promise<Buffer> {
  const kept = await readFile(join(CACHE, file)).catch(() => undefined)
  if (kept && integrityOf(kept) === integrity) return kept
  const part = join(CACHE, `part-${process.pid}`)
  await mkdir(part, { recursive: true })
  try {
    await execa('npm', ['pack', '--silent', '--pack-destination', part, spec], { cwd: TOP })
    const packed = await readFile(join(part, file))
    const got = integrityOf(packed)
    if (got !== integrity) throw new Error(`${spec} of the registry is ${got}, package-lock.json has ${integrity}`)
    await rename(join(part, file), join(CACHE, file))
    return packed
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

function integrityOf(bytes: Buffer): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

async function unpacked(packed: Buffer, wanted: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const entries = tar.extract()
  Readable.from([gunzipSync(packed)]).pipe(entries)
  for await (const entry of entries) {
    if (wanted.includes(entry.header.name)) files.set(entry.header.name, await buffer(entry))
    else entry.resume()
  }
  for (const name of wanted) if (!files.has(name)) throw new Error(`the package of Node has no ${name}`)
  return files
}
