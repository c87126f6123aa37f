/** What the release puts where on a machine, the same for the Debian package and the tarball. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TreeFile } from './archive.ts'
import type { App } from './bundle.ts'
import { commentedConfig } from './config.ts'
import { notices } from './notices.ts'
import { NATIVE } from './native.ts'
import { TOP } from './places.ts'
import type { Arch, Runtime } from './runtime.ts'

const APP = 'usr/lib/diagd'
const DOC = 'usr/share/doc/diagd'
const SHARE = 'usr/share/diagd'

/** Folders of systemd/ and where their files belong; what stands nowhere else is an example. */
const UNITS = [
  { from: 'systemd', to: 'usr/lib/systemd/system', what: /\.(?:service|socket|timer|path|target)$/ },
  { from: 'systemd/sysusers.d', to: 'usr/lib/sysusers.d', what: /\.conf$/ },
  { from: 'systemd/tmpfiles.d', to: 'usr/lib/tmpfiles.d', what: /\.conf$/ },
]

export async function treeOf(app: App, runtime: Runtime, arch: Arch): Promise<TreeFile[]> {
  const parts = await Promise.all([
    native(arch),
    systemd(),
    docs(),
    folder('examples', `${SHARE}/examples`, /^(?:collectors|extras)\.d\//),
    folder('docs/schema', `${SHARE}/schema`),
    folder('cloud-init', `${SHARE}/cloud-init`),
  ])
  return [
    ...app.files.map(({ name, content }) => text(`${APP}/${name}`, content)),
    { path: `${APP}/node`, mode: 0o755, content: runtime.node },
    { ...(await copied('packaging/setup', `${APP}/setup`)), mode: 0o755 },
    { ...(await copied('packaging/diagd', 'usr/bin/diagd')), mode: 0o755 },
    { ...text('etc/diagd/config.yaml', commentedConfig()), mode: 0o640 },
    text(`${DOC}/copyright`, await notices(app, runtime)),
    // What the example's types come from.
    await copied('src/collector.ts', `${SHARE}/src/collector.ts`),
    ...parts.flat(),
  ]
}

async function native(arch: Arch): Promise<TreeFile[]> {
  const all = NATIVE.map(({ name, files }) =>
    folder(`node_modules/${name}`, `${APP}/node_modules/${name}`, files(arch)),
  )
  return (await Promise.all(all)).flat()
}

async function systemd(): Promise<TreeFile[]> {
  const units = await Promise.all(UNITS.map(({ from, to, what }) => folder(from, to, what)))
  const placed = new RegExp(`^(?:[^/]+${UNITS[0]!.what.source}|(?:sysusers|tmpfiles)\\.d/)`)
  return [
    ...units.flat(),
    ...(await folder('systemd', `${SHARE}/systemd`)).filter(({ path }) => {
      return !placed.test(path.slice(`${SHARE}/systemd/`.length))
    }),
  ]
}

async function docs(): Promise<TreeFile[]> {
  const flat = async (name: string) => {
    const content = await readFile(join(TOP, name), 'utf8')
    return text(`${DOC}/${name}`, content.replaceAll('](docs/', ']('))
  }
  return [await flat('README.md'), await flat('CHANGELOG.md'), ...(await folder('docs', DOC, /\.md$/))]
}

/** Every file below a folder whose path from there fits; none where there is no such folder. */
async function folder(from: string, to: string, what = /(?:)/): Promise<TreeFile[]> {
  const found = await readdir(join(TOP, from), { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = found
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(join(TOP, from).length + 1))
  return Promise.all(paths.filter((path) => what.test(path)).map((path) => copied(`${from}/${path}`, `${to}/${path}`)))
}

async function copied(from: string, to: string): Promise<TreeFile> {
  return { path: to, mode: 0o644, content: await readFile(join(TOP, from)) }
}

function text(path: string, content: string): TreeFile {
  return { path, mode: 0o644, content: Buffer.from(content) }
}
