/** Surroundings for testing sources of files: a folder of the test's own, a context, and reading to the end. */
import { mkdtemp, readdir, readlink, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Interval } from '../../src/collector.ts'
import type { FileContext } from '../../src/sources/file.ts'
import type { Opened, SourceEnd, SourceLimits } from '../../src/sources/source.ts'

const defaultLimits: SourceLimits = {
  entryBytes: 64 * 1024 * 1024,
  headBytes: 64 * 1024,
  commandMs: 60_000,
  stallMs: 15_000,
}

interface Surroundings extends Partial<Omit<FileContext, 'limits' | 'intervals'>> {
  readonly limits?: Partial<SourceLimits>
  readonly intervals?: readonly Interval[]
}

export function fileContext({ limits, intervals = [], ...rest }: Surroundings = {}): FileContext {
  return {
    signal: new AbortController().signal,
    root: '',
    path: '/usr/sbin:/usr/bin:/sbin:/bin',
    timeZone: 'UTC',
    dbus: { dead: false },
    ...rest,
    intervals: () => Promise.resolve(intervals),
    limits: { ...defaultLimits, ...limits },
  }
}

export async function tempFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'diagd-file-')))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** All of a source, and how it ended. */
export async function readAll({
  chunks,
}: Pick<Opened, 'chunks'>): Promise<{ bytes: Buffer; text: string; end: SourceEnd }> {
  const parts: Buffer[] = []
  let step = await chunks.next()
  for (; !step.done; step = await chunks.next()) parts.push(Buffer.from(step.value))
  const bytes = Buffer.concat(parts)
  return { bytes, text: bytes.toString(), end: step.value }
}

/** How many descriptors of this process lead to a path. */
export async function openDescriptors(path: string): Promise<number> {
  const descriptors = await readdir('/proc/self/fd')
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(path)).length
}
