/** What the file descriptors of all processes point to. */
import type { Kit } from '../../src/collector.ts'
import { listPids, mostProcesses } from './proc-scan.ts'

export interface Descriptor {
  readonly pid: number
  /** `/proc/PID/fd/N`. */
  readonly path: string
  /** As the kernel names it: `socket:[4711]`, `/var/log/x.log (deleted)`. */
  readonly target: string
}

/** What cannot be seen without root, for the head of a text. */
export const descriptorNote =
  'Without root only the files of the own processes are seen; with root, not those of processes the kernel protects.\n'

/**
 * Descriptors whose target matches a pattern of find(1). find reads links of /proc and follows none; it does for
 * 100 000 descriptors in under a second, in a child of low priority, what would keep this process busy for many.
 * Throws when find is missing or too slow.
 */
export async function findDescriptors(kit: Kit, pattern: string): Promise<Descriptor[]> {
  const folders = (await listPids(kit)).slice(0, mostProcesses).map((pid) => `/proc/${pid}/fd`)
  const { stdout } = await kit.run`find ${folders} -maxdepth 1 -lname ${pattern} -printf ${'%p %l\\0'}`
  return stdout.split('\0').flatMap((line) => {
    const [, path, pid, target] = /^(\/proc\/(\d+)\/fd\/\d+) ([^]*)$/.exec(line) ?? []
    return target === undefined ? [] : [{ pid: Number(pid), path: path!, target }]
  })
}
