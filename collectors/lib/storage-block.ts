/** Block devices, their queues and what they count as errors, out of /sys and /proc. */
import type { Kit } from '../../src/collector.ts'
import { bytes, duration, inParallel, oneLine, table, utc } from './proc-text.ts'

/** Sectors of /sys/block and /proc/diskstats are 512 bytes, whatever the device has. */
const sectorBytes = 512
/** A host with more disks than this has a storage of its own to ask. */
const mostDevices = 1000

/** Devices with I/O errors first. Loop devices and RAM disks without a size are left out. */
export async function blockText(kit: Kit): Promise<string> {
  const names = await kit.list('/sys/block')
  const found = await inParallel(names.slice(0, mostDevices), 8, kit.signal, (name) => look(kit, name))
  const devices = found.filter((device) => device !== undefined)
  const rows = devices.sort((a, b) => b.errors - a.errors || b.busyMs - a.busyMs).map((device) => device.cells)
  const cut = names.length > mostDevices ? `CUT: ${names.length - mostDevices} more devices.\n` : ''
  const titles = [
    'DEVICE',
    '>SIZE',
    'KIND',
    'STATE',
    'MODE',
    '>I/O ERRORS',
    '>TIMEOUTS',
    '>IN FLIGHT',
    '>READ',
    '>WRITTEN',
    '>BUSY',
    'SCHEDULER',
    'MODEL OR NAME',
  ]
  return (
    'Block devices, those with errors first, then the busiest since boot. I/O ERRORS and TIMEOUTS are counted for SCSI only (-: not counted).\n' +
    `${cut}\n${table(titles, rows)}\n${await fileSystemErrors(kit)}`
  )
}

async function look(kit: Kit, name: string) {
  const at = async (path: string) => (await kit.read(`/sys/block/${name}/${path}`))?.trim()
  const sizeBytes = Number((await at('size')) ?? 0) * sectorBytes
  if (sizeBytes === 0 && /^(?:loop|ram|zram|nbd|fd|sr)\d+$/.test(name)) return undefined
  const [stat, rotational, readOnly, inflight, scheduler, state, errors, timeouts, model, mapped, array] =
    await Promise.all(
      [
        'stat',
        'queue/rotational',
        'ro',
        'inflight',
        'queue/scheduler',
        'device/state',
        'device/ioerr_cnt',
        'device/iotmo_cnt',
        'device/model',
        'dm/name',
        'md/array_state',
      ].map(at),
    )
  // Documentation/block/stat.rst: [2] sectors read, [6] sectors written, [9] milliseconds with I/O.
  const counts = (stat ?? '').split(/\s+/).map(Number)
  const busyMs = counts[9] ?? 0
  const pending = (inflight ?? '').split(/\s+/).reduce((sum, count) => sum + Number(count), 0)
  const cells = [
    name,
    bytes(sizeBytes),
    rotational === '1' ? 'rotating' : 'solid',
    array ?? state ?? '-',
    readOnly === '1' ? 'ro' : 'rw',
    count(errors),
    count(timeouts),
    String(pending),
    bytes((counts[2] ?? 0) * sectorBytes),
    bytes((counts[6] ?? 0) * sectorBytes),
    duration(busyMs / 1000),
    /\[(.+)\]/.exec(scheduler ?? '')?.[1] ?? '-',
    mapped ?? model ?? '-',
  ]
  return { cells, busyMs, errors: (Number(errors) || 0) + (Number(timeouts) || 0) }
}

/** What ext4, btrfs and md have found wrong on their devices; a line each, nothing where there is nothing wrong. */
async function fileSystemErrors(kit: Kit): Promise<string> {
  const paths = await kit.glob(
    '/sys/fs/ext4/*/{errors_count,warning_count,first_error_*,last_error_*}',
    '/sys/fs/btrfs/*/devinfo/*/error_stats',
    '/sys/block/md*/md/{degraded,mismatch_cnt}',
  )
  const values = await Promise.all(paths.map(async (path) => ({ path, value: (await kit.read(path))?.trim() ?? '' })))
  const wrong = values.filter(({ value }) => !/^(?:\D*\b0+\b)*\s*$/.test(value))
  const lines = wrong.map(
    ({ path, value }) => `  ${path}: ${path.endsWith('_time') ? utc(Number(value) * 1000) : oneLine(value)}\n`,
  )
  const found = lines.length > 0 ? `\n${lines.join('')}` : 'none\n'
  return `Errors that file systems and arrays have counted (${paths.length} counters looked at): ${found}`
}

/** The SCSI layer counts in hexadecimal. */
const count = (hex: string | undefined): string => (hex === undefined ? '-' : String(Number(hex)))
