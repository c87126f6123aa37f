/** Every file that a bundle of the whole machine opens for writing, creates, renames or removes, as strace sees it. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const CALLS =
  'openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,mknod,mknodat'

export async function writesRows(work: Workplace): Promise<Row[]> {
  const what = 'files written by a bundle of the whole machine'
  const trace = join(work.folder, 'strace')
  const command = [process.execPath, 'src/cli.ts', 'collect', '--skip', 'extras', '-o', '-']
  const { error } = spawnSync('strace', ['-f', '-qq', '-e', `trace=${CALLS}`, '-o', trace, ...command], {
    env: work.environment,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  if (error) return [{ what, measured: 'strace is not installed', beside: '0' }]
  const written = writtenFiles(readFileSync(trace, 'latin1'))
  return [
    { what, measured: written.length === 0 ? '0' : `${written.length}: ${written.slice(0, 5).join(' ')}`, beside: '0' },
  ]
}

/** Paths that a trace opens for writing or changes; devices and /proc hold no data of anybody. */
function writtenFiles(trace: string): string[] {
  const written = new Set<string>()
  for (const line of trace.split('\n')) {
    if (/ = -1 /.test(line)) continue
    const call = /(\w+)\((?:AT_FDCWD, |\d+, )?"([^"]*)"/.exec(line)
    if (!call) continue
    const opens = call[1]!.startsWith('open')
    if (opens && !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line)) continue
    if (/^\/(?:dev|proc)\//.test(call[2]!)) continue
    written.add(call[2]!)
  }
  return [...written]
}
