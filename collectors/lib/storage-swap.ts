/** Swap: areas, compressed memory (zram, zswap). */
import type { Kit } from '../../src/collector.ts'
import { bytes, percent, table } from './proc-text.ts'

export async function swapText(kit: Kit): Promise<string> {
  const [swaps = '', meminfo = '', swappiness = '?'] = await Promise.all(
    ['/proc/swaps', '/proc/meminfo', '/proc/sys/vm/swappiness'].map((path) => kit.read(path)),
  )
  const rows = swaps.trim().split('\n').slice(1).map(areaRow)
  const areas =
    rows.length > 0 ? table(['>USE', '>USED', '>SIZE', 'TYPE', '>PRIORITY', 'AREA'], rows) : 'No swap area is in use.\n'
  const memory = meminfo.split('\n').filter((line) => /^(?:Swap|Zswap|Zswapped)/.test(line))
  const zswap = await values(kit, '/sys/module/zswap/parameters/*')
  const zram = await values(kit, '/sys/block/zram*/{disksize,comp_algorithm,mm_stat,io_stat}')
  return [
    areas,
    `vm.swappiness ${swappiness.trim()}\n${memory.map((line) => `${line}\n`).join('')}`,
    `zswap:\n${zswap || '  not there\n'}`,
    // mm_stat: Documentation/admin-guide/blockdev/zram.rst
    `zram (mm_stat: original, compressed, used, limit, most used bytes, same-filled, compacted, huge pages):\n${zram || '  not there\n'}`,
  ].join('\n')
}

/** /proc/swaps: sizes in KiB. */
function areaRow(line: string): string[] {
  const [path = '?', type = '?', size = '0', used = '0', priority = '?'] = line.split(/\s+/)
  const [usedBytes, sizeBytes] = [Number(used) * 1024, Number(size) * 1024]
  return [percent(usedBytes, sizeBytes), bytes(usedBytes), bytes(sizeBytes), type, priority, path]
}

async function values(kit: Kit, glob: string): Promise<string> {
  const paths = await kit.glob(glob)
  const lines = await Promise.all(
    paths.map(async (path) => `  ${path.split('/').slice(-2).join('/')}: ${(await kit.read(path))?.trim() ?? '?'}\n`),
  )
  return lines.join('')
}
