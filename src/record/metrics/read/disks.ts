/** Block devices: /proc/diskstats (Documentation/admin-guide/iostats.rst). */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'

/** Volumes of many containers come and go; more are counted. */
const MOST_DISKS = 64
/** Whatever the sectors of the device are. */
const SECTOR_BYTES = 512
/** What lies in memory, or on a file system whose disk is listed. */
const notDisk = /^(?:ram|loop|fd)\d/

export function disksReader(files: Files): Reader {
  return {
    name: 'disks',
    read(): Part {
      const lines = (files.text('/proc/diskstats') ?? '').split('\n').map((line) => line.trim().split(/ +/))
      const names = new Set(lines.map(([, , name]) => name))
      const disks = lines.filter(([, , name = '', reads, , , , writes]) => {
        const used = reads !== undefined && !(reads === '0' && writes === '0')
        return used && !notDisk.test(name) && !isPartition(name, names)
      })
      const rows = disks.slice(0, MOST_DISKS).map(([, , device = '', ...numbers]) => ({
        subject: 'disk' as const,
        labels: { device },
        values: counters(numbers.map(Number)),
      }))
      return { host: { left_out_disk_count: disks.length - rows.length }, rows }
    },
  }
}

/** `sda1` beside `sda`, `nvme0n1p2` beside `nvme0n1`. On some machines there is an `xvda1` and no `xvda`: that is a disk. */
function isPartition(name: string, names: ReadonlySet<string | undefined>): boolean {
  const whole = name.replace(/(?<=\d)p\d+$|(?<=[a-z])\d+$/, '')
  return whole !== name && names.has(whole)
}

function counters(numbers: readonly number[]) {
  const [reads, , readSectors, readMs, writes, , writtenSectors, writeMs, now, ioMs, weightedMs] = numbers
  return known({
    reads,
    writes,
    read_bytes: (readSectors ?? NaN) * SECTOR_BYTES,
    written_bytes: (writtenSectors ?? NaN) * SECTOR_BYTES,
    read_time_seconds: (readMs ?? NaN) / 1000,
    write_time_seconds: (writeMs ?? NaN) / 1000,
    io_time_seconds: (ioMs ?? NaN) / 1000,
    io_time_weighted_seconds: (weightedMs ?? NaN) / 1000,
    io_now: now,
  })
}
