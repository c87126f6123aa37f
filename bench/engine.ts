/** The engine without start-up: the same logs through collectBundle in this process's child, and its event loop's delay. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Row } from './table.ts'
import type { Workplace } from './workplace.ts'

export async function engineRows(work: Workplace): Promise<Row[]> {
  const child = fileURLToPath(new URL('engine-child.ts', import.meta.url))
  const kinds = [['tar.gz'], ['tar.zst'], ['tar.gz', work.recipient], ['tar', work.recipient]]
  return kinds.map(([format, ...recipients]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [child, format!, ...recipients], {
      env: work.environment,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    const { seconds, megabytesPerSecond, delayP99Ms, delayMaxMs } = JSON.parse(stdout) as Record<string, number>
    return {
      what: `engine alone, ${format}${recipients.length > 0 ? ', encrypted' : ''}`,
      measured: `${seconds!.toFixed(2)} s, ${megabytesPerSecond!.toFixed(0)} MB/s`,
      beside: `event loop delay p99 ${delayP99Ms!.toFixed(1)} ms, max ${delayMaxMs!.toFixed(1)} ms`,
    }
  })
}
