import type { Collector } from '../src/collector.ts'
import { hostFiles } from './lib/host-files.ts'
import { once } from './lib/proc-text.ts'
import { biggestText } from './lib/storage-biggest.ts'
import { blockText } from './lib/storage-block.ts'
import { deletedFilesText } from './lib/storage-deleted.ts'
import { mountsText, parseMountinfo } from './lib/storage-mounts.ts'
import { swapText } from './lib/storage-swap.ts'
import { usageText } from './lib/storage-usage.ts'

/** Where machines fill up. */
const fillers = ['/var/log', '/var/lib/docker', '/var/lib/containerd', '/var/lib/containers']
const configuration = [
  '/etc/{fstab,crypttab,mdadm.conf,multipath.conf}',
  '/etc/mdadm/mdadm.conf',
  '/etc/lvm/lvm.conf',
  '/etc/lvm/backup/*',
]

/** No LVM, RAID or SMART command: they open devices, take locks and may start arrays. The kernel's counters are enough. */
export default {
  title: 'Storage: mounts, usage of blocks and inodes, devices and errors, swap, what fills the disk, deleted files',
  tier: 'state',
  async *collect(kit) {
    const mounts = once(async () => {
      const ofInit = await kit.read('/proc/1/mountinfo', 8 << 20)
      const path = ofInit === undefined ? '/proc/self/mountinfo' : '/proc/1/mountinfo'
      return { path, mounts: parseMountinfo(ofInit ?? (await kit.read(path, 8 << 20)) ?? '') }
    })

    yield kit.text('usage.txt', async () => usageText(kit, (await mounts()).mounts))
    yield kit.text('mounts.txt', async () => {
      const found = await mounts()
      return mountsText(found.mounts, found.path)
    })
    yield kit.text('block-devices.txt', () => blockText(kit))
    yield kit.files('/proc/{diskstats,partitions,mdstat}').as('proc/')
    yield kit.text('swap.txt', () => swapText(kit))
    yield* hostFiles(kit, ...configuration)
    yield kit.text('deleted-open-files.txt', () => deletedFilesText(kit)).needs({ command: ['find', 'stat'] })
    for (const folder of fillers) {
      const name = `biggest${folder.replaceAll('/', '-')}.txt`
      const needs = { command: ['du', 'timeout', 'stdbuf'], file: folder }
      yield kit
        .text(name, () => biggestText(kit, folder))
        .needs(needs)
        .in('bulk')
    }
  },
} satisfies Collector
