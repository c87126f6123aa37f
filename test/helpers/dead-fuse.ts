/** A real FUSE mount that never answers: every call on it blocks until it is taken away. Needs root and /dev/fuse. */
import { execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, realpath, rmdir } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface DeadFuse {
  /** The mount point, links resolved. */
  readonly path: string
  /** Frees everything that is blocked on it (with an error) and takes the mount away. */
  stop(): Promise<void>
}

/** Mounts it on a folder of its own under the temporary folder; undefined where that is not possible. */
export async function deadFuse(): Promise<DeadFuse | undefined> {
  const device = openDevice()
  if (device === undefined) return undefined
  const path = await realpath(await mkdtemp(join(tmpdir(), 'diagd-dead-fuse-')))
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other'
  // -i: without the helper of fuse-utils, which would start a file system of its own.
  const mounting = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'dead', path], {
    stdio: ['ignore', 'ignore', 'ignore', device],
  })
  await once(mounting, 'close')
  const mounted = (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${path} `)
  const stop = async () => {
    // The connection ends with the last descriptor of it; then nothing blocks any more.
    closeSync(device)
    if (mounted) await run('umount', ['-i', '-l', path])
    await rmdir(path)
  }
  if (mounted) return { path, stop }
  await stop()
  return undefined
}

function openDevice(): number | undefined {
  try {
    return openSync('/dev/fuse', 'r+')
  } catch {
    return undefined
  }
}
