/** What fills a folder. */
import type { Kit } from '../../src/collector.ts'
import { bytes, table } from './proc-text.ts'

/** Less than the time a command may be silent: du says nothing while it walks one large folder. */
const seconds = 12
/** Below this nothing fills a disk. */
const smallestKiB = 1024
const mostRows = 1000

/**
 * Files and folders of at least 1 MiB, three levels deep, the largest first, on one file system. du walks in a child of
 * lowest CPU and I/O priority for at most 12 s (some 200 000 inodes of a cold disk); what it found until then stays.
 */
export async function biggestText(kit: Kit, folder: string): Promise<string> {
  const { stdout, stderr, exitCode } =
    await kit.run`timeout --foreground ${seconds} stdbuf -oL du -axk --max-depth=3 --threshold=${smallestKiB}K -- ${folder}`
  // The number and the name are told apart by a tab; a name may hold one, and line breaks too.
  const found = [...stdout.matchAll(/^(\d+)\t(.+)$/gm)].map((match) => ({ kib: Number(match[1]), path: match[2]! }))
  const rows = found
    .sort((a, b) => b.kib - a.kib)
    .slice(0, mostRows)
    .map(({ kib, path }) => [bytes(kib * 1024), path])
  const notes = [
    exitCode === 124 ? `CUT after ${seconds} s: folders not finished by then are missing, their parents too.\n` : '',
    found.length > mostRows ? `CUT: ${found.length - mostRows} smaller ones are left out.\n` : '',
    stderr === '' ? '' : `du said: ${stderr.trim().slice(0, 2000)}\n`,
  ]
  return `What takes at least 1 MiB on disk under ${folder}, three levels deep, on its own file system; a folder's size includes what is in it.\n${notes.join('')}\n${table(['>ON DISK', 'PATH'], rows)}`
}
