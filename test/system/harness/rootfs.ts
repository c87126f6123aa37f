/**
 * The root file system of a test machine: Debian with systemd, cloud-init and Docker, also rootless, made by mmdebstrap
 * (30 to 60 s, 600 MB, 200 MB of them from the network) and kept in the cache under a hash of its recipe.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cacheFolder, folderOfThisRun } from './cache.ts'

const SUITE = 'bookworm'

/** What a cloud image of Debian has, as far as diagd looks at it, and Docker, which a user can run, too. */
const PACKAGES =
  'systemd systemd-sysv dbus libpam-systemd udev kmod cloud-init rsyslog logrotate iproute2 procps nftables iptables curl ' +
  'ca-certificates gzip tar docker.io rootlesskit slirp4netns uidmap dbus-user-session'

/** Debian's own services that would only cost time, ask a network that is not there, or want a disk that is not theirs. */
const MASKED =
  'apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer e2scrub_reap.service ' +
  'fstrim.timer console-getty.service'

/** Shell, run by mmdebstrap at the end; `$1` is the root. A folder makes the journal persistent, as on a cloud image. */
const HOOKS = ['mkdir -p "$1/var/log/journal"', ': >"$1/etc/fstab"', `chroot "$1" systemctl mask --quiet ${MASKED}`]

/** What the machine of QEMU has besides. */
export const KERNEL = ' linux-image-cloud-amd64'

/** Whether or not it is there yet. */
export function rootFolder(more = ''): string {
  const recipe = JSON.stringify([SUITE, PACKAGES + more, HOOKS])
  return join(cacheFolder(), `root-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`)
}

export const hasRoot = (more = '') => existsSync(rootFolder(more))

/** Makes it, if it is not there. As root, with mmdebstrap. A build that was cut short leaves nothing that is taken for one. */
export async function buildRoot(more = ''): Promise<string> {
  const done = rootFolder(more)
  if (hasRoot(more)) return done
  const building = await folderOfThisRun('build')
  try {
    const flags = ['--mode=root', '--variant=minbase', `--include=${(PACKAGES + more).replaceAll(' ', ',')}`]
    const hooks = HOOKS.map((hook) => `--customize-hook=${hook}`)
    await execa('mmdebstrap', [...flags, ...hooks, SUITE, building])
    await rename(building, done)
  } finally {
    await rm(building, { recursive: true, force: true })
  }
  return done
}
