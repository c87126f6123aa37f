/** What one machine has besides the cached root file system: a name, an identity and a seed of its own. */
import { randomBytes } from 'node:crypto'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Machine } from './machine.ts'

export interface RootOptions {
  /** For cloud-init, as its first line says: `#cloud-config`, a script, … Without it cloud-init finds an empty one. */
  readonly userData?: string
  /** More files, path → content; a Buffer or a text. */
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** Files of the host that are copied in, path inside → path outside. */
  readonly copies?: Readonly<Record<string, string>>
}

const NODE = 'web-1'

export async function prepareRoot({ name, layers: { upper: root } }: Machine, options: RootOptions): Promise<void> {
  const instance = `i-${name.replaceAll(/\D/g, '')}`
  const files: Record<string, string | Buffer> = {
    '/etc/hostname': `${NODE}\n`,
    '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${NODE}\n`,
    '/etc/machine-id': `${randomBytes(16).toString('hex')}\n`,
    '/etc/resolv.conf': '',
    '/etc/cloud/cloud.cfg.d/90_test.cfg': CLOUD_CONFIG,
    '/var/lib/cloud/seed/nocloud/meta-data': `instance-id: ${instance}\nlocal-hostname: ${NODE}\n`,
    '/var/lib/cloud/seed/nocloud/user-data': options.userData ?? '#cloud-config\n{}\n',
    ...options.files,
  }
  for (const [path, content] of Object.entries(files)) await put(join(root, path), content)
  for (const [path, from] of Object.entries({ ...BOOT_FILES, ...options.copies })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await copyFile(from, join(root, path))
  }
  await chmod(join(root, '/sbin/test-init'), 0o755)
  const wants = join(root, '/etc/systemd/system/multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  await symlink('../test-booted.service', join(wants, 'test-booted.service'))
}

/** The network is there when the machine starts, and there is no package of the locales. */
const CLOUD_CONFIG = `datasource_list: [ NoCloud, None ]
network: { config: disabled }
locale: false
`

const BOOT_FILES = {
  '/sbin/test-init': join(import.meta.dirname, 'test-init'),
  '/etc/systemd/system/test-booted.service': join(import.meta.dirname, 'test-booted.service'),
}

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}
