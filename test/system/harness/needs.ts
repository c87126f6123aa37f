/** What the system test needs of the machine that runs it, and what of it is not there. */
import { accessSync, constants } from 'node:fs'
import { FIXED_PATH } from '../../../src/sources/lookup.ts'
import { hasRoot } from './rootfs.ts'

/** Commands, and the Debian packages that have them. */
const COMMANDS = {
  busybox: 'busybox-static',
  curl: 'curl',
  'dpkg-deb': 'dpkg',
  ip: 'iproute2',
  mmdebstrap: 'mmdebstrap',
  nsenter: 'util-linux',
  openssl: 'openssl',
  'systemd-nspawn': 'systemd-container',
}

/** What a machine uploads to. Where it is missing only those tests are skipped. */
export const OBJECT_STORAGE_COMMANDS = {
  ceph: 'ceph-common',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  radosgw: 'radosgw',
}

/** What the stage with QEMU needs besides. */
export const QEMU_COMMANDS = { mke2fs: 'e2fsprogs', 'qemu-system-x86_64': 'qemu-system-x86' }

/** Debian packages that are missing. */
export function missingPackages(commands: Readonly<Record<string, string>> = COMMANDS): string[] {
  const missing = Object.entries(commands).filter(([command]) => !isInstalled(command))
  return missing.map(([, name]) => name)
}

/** One phrase for each thing that is missing. */
export function missing(): string[] {
  if (process.platform !== 'linux' || process.arch !== 'x64') return ['Linux on x64']
  const packages = missingPackages()
  return [
    ...(isRoot() ? [] : ['root']),
    ...(packages.length > 0 ? [`the Debian packages ${packages.join(', ')}`] : []),
    ...(hasRoot() ? [] : ['the root file system of its machines']),
  ]
}

export const isRoot = () => process.getuid?.() === 0

function isInstalled(command: string): boolean {
  return FIXED_PATH.split(':').some((folder) => {
    try {
      accessSync(`${folder}/${command}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
