/** The bill of materials (CycloneDX): npm's, for what it knows, made the same in every run, and the Node beside it. */
import { createHash } from 'node:crypto'
import { execa } from 'execa'
import { TOP } from './places.ts'
import type { Arch, Runtime } from './runtime.ts'

interface Bom {
  serialNumber: string
  metadata: { timestamp: string; component: Record<string, unknown> }
  components: unknown[]
}

export async function sbomOf(version: string, runtimes: ReadonlyMap<Arch, Runtime>, mtime: Date): Promise<string> {
  // Of the lockfile: what happens to be installed here depends on the machine.
  const options = ['--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application', '--omit=dev']
  const { stdout } = await execa('npm', ['sbom', ...options], { cwd: TOP })
  const bom = JSON.parse(stdout) as Bom
  bom.metadata.timestamp = mtime.toISOString()
  // npm names it after its folder.
  Object.assign(bom.metadata.component, {
    name: 'diagd',
    version,
    'bom-ref': `diagd@${version}`,
    purl: `pkg:npm/diagd@${version}`,
  })
  bom.components.push(...[...runtimes].map(([arch, runtime]) => component(arch, runtime)))
  bom.serialNumber = ''
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bom))}`
  return `${JSON.stringify(bom, undefined, 2)}\n`
}

/** With what is linked into it, for who looks for known holes: the one that runs this is of the same version. */
function component(arch: Arch, { version, node }: Runtime): unknown {
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
