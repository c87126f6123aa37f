/** Files that were deleted and take space until the last process that holds them closes them. */
import type { Kit } from '../../src/collector.ts'
import { descriptorNote, findDescriptors } from './proc-fds.ts'
import type { Descriptor } from './proc-fds.ts'
import { bytes, table } from './proc-text.ts'

/** Arguments of one stat(1), and how many of them: 10 000 files name the culprit. */
const batchSize = 500
const mostFiles = 10_000

interface Held extends Descriptor {
  readonly sizeBytes: number
  readonly allocatedBytes: number
  /** Device and inode: one file held by many descriptors counts once. */
  readonly file: string
}

/** The largest first, with who holds them. Shared memory without a name, which looks the same, is left out. */
export async function deletedFilesText(kit: Kit): Promise<string> {
  const found = (await findDescriptors(kit, '* (deleted)')).filter(({ target }) => isStored(target))
  const held: Held[] = []
  let unknown = 0
  for (let at = 0; at < Math.min(found.length, mostFiles); at += batchSize) {
    const batch = found.slice(at, at + batchSize)
    const sizes = await sizesOf(kit, batch)
    unknown += batch.length - sizes.length
    held.push(...sizes)
  }
  const files = [...Map.groupBy(held, ({ file }) => file).values()].sort(
    (a, b) => b[0]!.allocatedBytes - a[0]!.allocatedBytes,
  )
  const names = await commandNames(kit, new Set(held.map(({ pid }) => pid)))
  const total = files.reduce((sum, [first]) => sum + first!.allocatedBytes, 0)
  const rows = files.map((same) => [
    bytes(same[0]!.allocatedBytes),
    bytes(same[0]!.sizeBytes),
    [...new Set(same.map(({ pid }) => `${pid}/${names.get(pid)}`))].slice(0, 3).join(', '),
    same.length,
    same[0]!.target.replace(/ \(deleted\)$/, ''),
  ])
  return (
    `${files.length} deleted files are still open and hold ${bytes(total)} on disk.\n${descriptorNote}` +
    (unknown > 0 ? `${unknown} descriptors were closed meanwhile, or their file system did not answer.\n` : '') +
    (found.length > mostFiles ? `CUT: ${found.length - mostFiles} more descriptors were not looked at.\n` : '') +
    `\n${table(['>ON DISK', '>SIZE', 'PROCESSES', '>DESCRIPTORS', 'FILE'], rows)}`
  )
}

/** memfd, SysV and POSIX shared memory, GPU buffers and the like have no directory entry from the start. */
const isStored = (target: string): boolean => /^\/(?!memfd:|SYSV|dev\/|\[|i915|drm)/.test(target)

/**
 * Sizes come from a child: following the link of a descriptor touches the file system it is on, and that may never
 * answer. A batch that hangs costs its own sizes.
 */
async function sizesOf(kit: Kit, batch: readonly Descriptor[]): Promise<Held[]> {
  const paths = batch.map(({ path }) => path)
  const result = await kit.run`stat -L --printf=${'%s %b %B %d:%i %n\\n'} -- ${paths}`.catch(() => undefined)
  const byPath = new Map(batch.map((descriptor) => [descriptor.path, descriptor]))
  return (result?.stdout ?? '').split('\n').flatMap((line) => {
    const [size, blocks, blockBytes, file, path] = line.split(' ')
    const descriptor = byPath.get(path ?? '')
    if (!descriptor) return []
    return [
      { ...descriptor, sizeBytes: Number(size), allocatedBytes: Number(blocks) * Number(blockBytes), file: file! },
    ]
  })
}

async function commandNames(kit: Kit, pids: ReadonlySet<number>): Promise<Map<number, string>> {
  const names = new Map<number, string>()
  for (const pid of pids) names.set(pid, (await kit.read(`/proc/${pid}/comm`))?.trim() ?? '?')
  return names
}
