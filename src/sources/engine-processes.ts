/** Engine daemons among the processes of this pid namespace, from /proc. */
import { open, readdir } from 'node:fs/promises'
import type { SourceContext } from './source.ts'

export type EngineKind = 'docker' | 'podman'

export interface EngineProcess {
  readonly kind: EngineKind
  /** Effective user id, as this process sees it. */
  readonly uid: number
}

/** More than the kernel's usual pid_max on a small VM; a larger table is looked at from its start only. */
const maxProcesses = 65_536
/** Of a file of /proc/PID: status has about 1.5 kB, a command line of an engine less. */
const maxBytes = 16 * 1024

/**
 * Every `dockerd`, and every `podman system service`. Those of a container do not count: their status names more
 * than one pid (`NSpid`), one for each pid namespace below ours that they are in.
 */
export async function engineProcesses({ root, signal }: SourceContext): Promise<EngineProcess[]> {
  const names = await readdir(`${root}/proc`).catch(() => [])
  const found: EngineProcess[] = []
  for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, maxProcesses)) {
    signal.throwIfAborted()
    const process = await engineProcess(`${root}/proc/${pid}`)
    if (process) found.push(process)
  }
  return found
}

async function engineProcess(folder: string): Promise<EngineProcess | undefined> {
  const name = (await text(`${folder}/comm`)).trimEnd()
  if (name !== 'dockerd' && name !== 'podman') return undefined
  const status = await text(`${folder}/status`)
  // A kernel that does not tell has no such line; then the process counts as ours.
  const pids = /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? []
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]
  if (pids.length > 1 || uid === undefined) return undefined
  if (name === 'dockerd') return { kind: 'docker', uid: Number(uid) }
  const serves = (await text(`${folder}/cmdline`)).includes('\0system\0service')
  return serves ? { kind: 'podman', uid: Number(uid) } : undefined
}

/** Empty when the process is gone or hidden from us. */
async function text(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return ''
  }
}
