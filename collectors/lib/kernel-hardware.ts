import type { Kit } from '../../src/collector.ts'

/** Interrupts that only broken or overheated hardware raises (x86): their rows in /proc/interrupts. */
const errorInterrupts = new Set(['MCE', 'THR', 'DFR', 'TRM', 'ERR', 'MIS'])

/** Counts of corrected and uncorrected errors that the kernel keeps for memory, PCI and processors. Empty lists: none kept. */
export async function hardwareErrors(kit: Kit) {
  return {
    memoryControllers: await counters(kit, '/sys/devices/system/edac/mc/mc*/{ce_count,ue_count,mc_name}'),
    pci: (await counters(kit, '/sys/bus/pci/devices/*/aer_dev_{correctable,nonfatal,fatal}')).filter(({ text }) =>
      /TOTAL_\w+ [1-9]/.test(text),
    ),
    throttled: await counters(kit, '/sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count'),
    interrupts: interruptTotals((await kit.read('/proc/interrupts')) ?? ''),
  }
}

/** At most 512 files: a machine has some per processor and per PCI device. */
async function counters(kit: Kit, glob: string) {
  const paths = (await kit.glob(glob)).slice(0, 512)
  return Promise.all(paths.map(async (path) => ({ path, text: ((await kit.read(path)) ?? 'unreadable').trim() })))
}

function interruptTotals(interrupts: string): Record<string, number> {
  const rows = interrupts.split('\n').map((line) => line.trim().split(/\s+/))
  const wanted = rows.filter(([name = '']) => errorInterrupts.has(name.replace(':', '')))
  return Object.fromEntries(
    wanted.map(([name = '', ...cells]) => {
      const counts = cells.filter((cell) => /^\d+$/.test(cell))
      return [name.replace(':', ''), counts.reduce((sum, cell) => sum + Number(cell), 0)]
    }),
  )
}
