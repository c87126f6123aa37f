/** diagd on a test machine: installed by cloud-init, asked from outside. */
import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { join } from 'node:path'
import { extract } from '../../helpers/archive.ts'
import type { RootOptions } from './prepare.ts'
import { createVm, type Vm } from './vm.ts'

/** DIAGD_FILE of cloud-init/user-data.yaml. */
const PACKAGE = '/opt/diagd.deb'

/** The user-data that diagd comes with, more commands for its runcmd, and more keys. */
export function installingUserData(commands: readonly string[] = [], keys = ''): string {
  const shipped = readFileSync(join(import.meta.dirname, '../../../cloud-init/user-data.yaml'), 'utf8')
  return `${shipped.trimEnd()}\n${commands.map((command) => `  - ${command}\n`).join('')}${keys}`
}

/** A machine that installs the package at its first boot. */
export function createDiagdVm(deb: string, options: RootOptions = {}): Promise<Vm> {
  return createVm({
    userData: installingUserData(),
    ...options,
    copies: { [PACKAGE]: deb, ...options.copies },
  })
}

/** Properties of its unit, as `systemctl show` has them. */
export async function property<Name extends string>(vm: Vm, ...names: Name[]): Promise<Record<Name, string>> {
  const shown = await vm.run('systemctl', 'show', 'diagd.service', `--property=${names.join(',')}`)
  const pairs = shown.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  return Object.fromEntries(pairs) as Record<Name, string>
}

export interface Bundle {
  readonly archive: Buffer
  /** Without the top folder. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly text: (name: string) => string
  readonly manifest: Manifest
}

interface Manifest {
  readonly complete: boolean
  readonly redaction: { readonly problems: readonly string[] }
}

/** Over TCP, in the machine's network, with the credential that the package made for root. */
export async function fetchBundle(vm: Vm, query = ''): Promise<Bundle> {
  const credential = await vm.run('cat', '/etc/diagd/admin.header')
  return openBundle(await get(vm, `/debug-package${query}`, credential))
}

/** The same, however large: into a file of the host. */
export async function downloadBundle(vm: Vm, query: string, file: string): Promise<void> {
  const credential = await vm.run('cat', '/etc/diagd/admin.header')
  await get(vm, `/debug-package${query}`, credential, ['--output', file])
  await execa(process.execPath, [CLI, 'verify', file])
}

export async function get(vm: Vm, path: string, credential?: string, more: readonly string[] = []): Promise<Buffer> {
  // The credential goes in by standard input: an argument would be seen in the list of processes.
  const flags = [
    '--silent',
    '--show-error',
    '--fail',
    '--max-time',
    '280',
    ...(credential ? ['--header', '@-'] : []),
    ...more,
  ]
  return vm.fromNetwork('inside', ['curl', ...flags, `http://127.0.0.1:7433${path}`], credential)
}

/** Whole, says `diagd verify`; and opened by GNU tar. */
export async function openBundle(archive: Buffer): Promise<Bundle> {
  await execa(process.execPath, [CLI, 'verify', '-'], { input: archive })
  const files = new Map([...extract(archive)].map(([path, content]) => [path.slice(path.indexOf('/') + 1), content]))
  const text = (name: string) => {
    const content = files.get(name)
    if (!content) throw new Error(`no ${name} in the bundle; there are: ${[...files.keys()].join(', ')}`)
    return content.toString()
  }
  return { archive, files, text, manifest: JSON.parse(text('manifest.json')) as Manifest }
}

const CLI = join(import.meta.dirname, '../../../src/cli.ts')
