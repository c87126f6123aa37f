/** A `docker` command that is a script, which starts the engine when it is first used; and what such scripts leave behind. */
import type { Kit } from '../../src/collector.ts'
import type { LazyPid } from './docker-process.ts'
import { utc } from './proc-text.ts'

const commands = ['/usr/local/bin/docker', '/usr/bin/docker', '/bin/docker']
const realCommands = ['/usr/local/bin/docker.real', '/usr/bin/docker.real']
const leftovers = ['/tmp/{dockerd,docker}.{lock,pid,log}', '/var/log/{dockerd,docker}.log']
/** Scripts begin with `#!`; of a program nothing more is read. */
const scriptBytes = 16 * 1024

export interface LazyStart {
  /** A `docker` that is a script. It is read here, and never run. */
  readonly script?: { readonly path: string; readonly startsEngine: boolean }
  readonly realCommand?: string
  readonly files: readonly Leftover[]
  readonly pids: readonly LazyPid[]
}

interface Leftover {
  readonly path: string
  readonly sizeBytes: number
  readonly mtime: string
  readonly uid: number
  /** Of a pid file: whom it names, and whether that process is there. */
  readonly pid?: number
  readonly alive?: boolean
}

export async function lazyStart(kit: Kit): Promise<LazyStart> {
  const files = await Promise.all((await kit.glob(...leftovers)).map((path) => leftover(kit, path)))
  const found = files.filter((file) => file !== undefined)
  const script = await scriptAmong(kit)
  const real = (await Promise.all(realCommands.map((path) => kit.stat(path)))).findIndex((facts) => facts !== undefined)
  return {
    ...(script && { script }),
    ...(real >= 0 && { realCommand: realCommands[real]! }),
    files: found,
    pids: found.flatMap(({ path, pid }) => (pid === undefined ? [] : [{ path, pid }])),
  }
}

async function scriptAmong(kit: Kit): Promise<LazyStart['script']> {
  for (const path of commands) {
    const text = await kit.read(path, scriptBytes)
    if (text?.startsWith('#!')) return { path, startsEngine: /\bdockerd\b/.test(text) }
    if (text !== undefined) return undefined
  }
  return undefined
}

async function leftover(kit: Kit, path: string): Promise<Leftover | undefined> {
  const facts = await kit.stat(path)
  if (!facts) return undefined
  const { sizeBytes, mtimeMs, uid } = facts
  const file = { path, sizeBytes, mtime: utc(mtimeMs), uid }
  const pid = path.endsWith('.pid') ? Number.parseInt((await kit.read(path, 32)) ?? '', 10) : Number.NaN
  if (!Number.isSafeInteger(pid)) return file
  return { ...file, pid, alive: (await kit.read(`/proc/${pid}/stat`)) !== undefined }
}
