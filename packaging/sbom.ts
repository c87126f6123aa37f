/** The bill of materials (CycloneDX): npm's, for what it knows, made the same in every run, and the Node beside it. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { shippedPackages, type Lock } from '../docs/licenses.ts'
import { TOP } from './places.ts'
import type { Arch, Runtime } from './runtime.ts'

interface Bom {
  serialNumber: string
  metadata: { timestamp: string; component: { 'bom-ref': string } }
  components: Component[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

interface Component {
  'bom-ref': string
  type: string
  name: string
  version: string
  [more: string]: unknown
}

export async function sbomOf(version: string, runtimes: ReadonlyMap<Arch, Runtime>, mtime: Date): Promise<string> {
  const bom = shippedOnly(await everything(), await lockfile())
  bom.metadata.timestamp = mtime.toISOString()
  // npm names it after its folder.
  Object.assign(bom.metadata.component, { name: 'diagd', version, purl: `pkg:npm/diagd@${version}` })
  bom.components.push(...[...runtimes].map(([arch, runtime]) => component(arch, runtime)))
  bom.serialNumber = ''
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bom))}`
  return `${JSON.stringify(bom, undefined, 2)}\n`
}

/** Of the lockfile: what happens to be installed here depends on the machine. */
async function everything(): Promise<Bom> {
  const { stdout } = await execa('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], { cwd: TOP })
  return JSON.parse(stdout) as Bom
}

/** Not by `--omit=dev` of npm 11: it leaves out what is shipped and needed for development as well (zod, yaml). */
function shippedOnly(bom: Bom, lock: Lock): Bom {
  const shipped = new Set(shippedPackages(lock).map(({ name, version }) => `${name}@${version}`))
  const components = bom.components.filter(({ name, version }) => shipped.has(`${name}@${version}`))
  const refs = new Set([bom.metadata.component['bom-ref'], ...components.map((one) => one['bom-ref'])])
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }))
  return { ...bom, components, dependencies }
}

async function lockfile(): Promise<Lock> {
  return JSON.parse(await readFile(join(TOP, 'package-lock.json'), 'utf8')) as Lock
}

/** With what is linked into it, for who looks for known holes: the one that runs this is of the same version. */
function component(arch: Arch, { version, node }: Runtime): Component {
  const parts =
    process.versions.node === version ? Object.entries(process.versions).filter(([name]) => name !== 'node') : []
  const ref = `node@${version}-linux-${arch}`
  return {
    'bom-ref': ref,
    type: 'platform',
    name: 'node',
    version,
    scope: 'required',
    description: `Node.js for linux-${arch}, in /usr/lib/diagd/node`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/nodejs@${version}?arch=${arch}`,
    hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(node).digest('hex') }],
    licenses: [{ license: { id: 'MIT' } }],
    components: parts.map(([name, part]) => ({ 'bom-ref': `${ref}/${name}`, type: 'library', name, version: part })),
  }
}

/** The form of a UUID, version 8: of our own making, from the content. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
