import type { Kit } from '../../src/collector.ts'

/** OpenTelemetry's names where it has them. */
export async function processors(kit: Kit) {
  // 8 MiB: some 4 kB for each of 2 000 processors.
  const cpuinfo = (await kit.read('/proc/cpuinfo', 8 << 20)) ?? ''
  const first = (name: string) => new RegExp(`^${name}\\s*:\\s*(.+)$`, 'm').exec(cpuinfo)?.[1]
  const different = (name: string) => new Set(cpuinfo.match(new RegExp(`^${name}\\s*:.*$`, 'gm'))).size
  return {
    'host.cpu.model.name': first('model name') ?? first('Model') ?? null,
    'host.cpu.vendor.id': first('vendor_id') ?? first('CPU implementer') ?? null,
    'host.cpu.family': first('cpu family') ?? null,
    'host.cpu.model.id': first('model') ?? first('CPU part') ?? null,
    'host.cpu.stepping': first('stepping') ?? first('CPU revision') ?? null,
    'system.cpu.logical.count': cpuinfo.match(/^processor\s*:/gm)?.length ?? 0,
    sockets: different('physical id') || null,
    coresPerSocket: Number(first('cpu cores')) || null,
    microcode: first('microcode') ?? null,
    bugs: first('bugs')?.split(' ') ?? null,
    online: (await kit.read('/sys/devices/system/cpu/online'))?.trim() ?? null,
    governor: (await kit.read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'))?.trim() ?? null,
  }
}

/** Whole disks and their identity; the storage collector has their use and errors. At most 256. */
export async function disks(kit: Kit) {
  const names = (await kit.list('/sys/block')).filter((name) => !/^(loop|ram)\d/.test(name)).slice(0, 256)
  return Promise.all(
    names.map(async (name) => {
      const read = async (file: string) => (await kit.read(`/sys/block/${name}/${file}`))?.trim() ?? null
      // The kernel counts in sectors of 512 bytes here, whatever the disk's own are.
      const sizeBytes = Number(await read('size')) * 512
      const [model, rotational, readOnly, scheduler] = await Promise.all(
        ['device/model', 'queue/rotational', 'ro', 'queue/scheduler'].map(read),
      )
      return { name, sizeBytes, model, rotational: rotational === '1', readOnly: readOnly === '1', scheduler }
    }),
  )
}
