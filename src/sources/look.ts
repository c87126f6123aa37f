/** What a collector may look at to decide what to describe: the rules are those of reading. */
import { statfs } from 'node:fs/promises'
import type { FileFacts, FileSystemFacts, Kit } from '../collector.ts'
import { openCommand } from './command.ts'
import { expandGlobs } from './glob.ts'
import { listFolder } from './list-folder.ts'
import { DangerousMountError } from './mounts.ts'
import { onDisk, printable } from './paths.ts'
import { lookMs, patiently } from './patience.ts'
import { kindOf, openingError } from './refusal.ts'
import { openRegular } from './regular.ts'
import { linkTarget, resolvePath } from './resolve.ts'
import { SourceError, type SourceContext, type SourceLimits } from './source.ts'

export type Look = Pick<Kit, 'read' | 'glob' | 'list' | 'readlink' | 'stat' | 'statfs'>

const readBytes = 1024 * 1024
/** Names of one folder. */
const mostNames = 100_000
/** A mount that has not told its size by then is not going to. */
const statfsMs = 5000
/** Where the links of a system lead: /etc/os-release to /usr/lib, /etc/resolv.conf to /run. */
const systemFolders = ['/etc', '/usr', '/run', '/proc', '/sys', '/var/lib', '/opt']

/**
 * All but `statfs` answer undefined or nothing for what is absent, not permitted, on the never-read list or on a mount that
 * may never answer; they throw only when nobody wants the bundle any more.
 */
export function look(ctx: SourceContext): Look {
  return {
    read: (path, maxBytes = readBytes) => orUndefined(ctx, () => readText(ctx, path, maxBytes)),
    glob: async (...globs) => (await expandGlobs(globs, ctx, true)).matches.map(({ path }) => path),
    list: async (path) => (await orUndefined(ctx, () => listNames(ctx, path))) ?? [],
    readlink: (path) => orUndefined(ctx, () => readLink(ctx, path)),
    stat: (path) => orUndefined(ctx, () => factsOf(ctx, path)),
    statfs: (path) => fileSystemOf(ctx, path),
  }
}

async function orUndefined<T>(ctx: SourceContext, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch {
    ctx.signal.throwIfAborted()
    return undefined
  }
}

/** The beginning of a file, read to its end or to `maxBytes`. */
async function readText(ctx: SourceContext, path: string, maxBytes: number): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf('/')) || '/'
  const file = await openRegular(ctx, { path, root: folder, within: systemFolders }, lookMs)
  try {
    const parts: Buffer[] = []
    for (let room = maxBytes; room > 0;) {
      const buffer = Buffer.allocUnsafe(Math.min(room, 64 * 1024))
      const count = await file.read(buffer, buffer.length, null)
      if (count === 0) break
      parts.push(buffer.subarray(0, count))
      room -= count
    }
    return Buffer.concat(parts).toString()
  } finally {
    await file.close()
  }
}

async function listNames(ctx: SourceContext, path: string): Promise<string[]> {
  const { path: real } = await resolvePath(ctx, path)
  return (await listFolder(ctx, real, mostNames)).map(({ name }) => name).sort()
}

async function readLink(ctx: SourceContext, path: string): Promise<string | undefined> {
  const { path: real, stats } = await resolvePath(ctx, path, true)
  return stats.isSymbolicLink() ? linkTarget(ctx, real) : undefined
}

async function factsOf(ctx: SourceContext, path: string): Promise<FileFacts> {
  const { stats } = await resolvePath(ctx, path, true)
  const { size: sizeBytes, mtimeMs, uid, gid, mode } = stats
  return { kind: kindOf(stats), sizeBytes, mtimeMs, uid, gid, mode }
}

/** Throws a `SourceError` where it cannot be told. */
async function fileSystemOf(ctx: SourceContext, path: string): Promise<FileSystemFacts> {
  try {
    const { path: real } = await resolvePath(ctx, path)
    const asking = statfs(onDisk(ctx, real))
    const facts = await patiently(asking, printable(path), { ms: lookMs, signal: ctx.signal })
    return {
      blockSizeBytes: facts.bsize,
      blocks: facts.blocks,
      blocksFree: facts.bfree,
      blocksAvailable: facts.bavail,
      inodes: facts.files,
      inodesFree: facts.ffree,
    }
  } catch (error) {
    if (error instanceof DangerousMountError) return askChild(ctx, error)
    throw await openingError(ctx, path, error, false)
  }
}

async function askChild(ctx: SourceContext, { mount, path }: DangerousMountError): Promise<FileSystemFacts> {
  if (mount.type === 'autofs') {
    throw new SourceError('skipped', `${mount.mountPoint} is an autofs mount: asking would mount it`)
  }
  const limits: SourceLimits = { entryBytes: 4096, headBytes: 0, commandMs: statfsMs, stallMs: statfsMs }
  const argv = ['stat', '--file-system', '--format=%S %b %f %a %c %d', ctx.root + path]
  const { chunks } = await openCommand({ argv, timeoutMs: statfsMs }, { ...ctx, limits })
  let text = ''
  let step = await chunks.next()
  for (; !step.done; step = await chunks.next()) text += step.value.toString()
  const { outcome, detail } = step.value
  const [blockSizeBytes, blocks, blocksFree, blocksAvailable, inodes, inodesFree] = text.split(' ').map(Number)
  if (outcome !== 'ok' || inodesFree === undefined) {
    throw new SourceError(outcome === 'ok' ? 'failed' : outcome, `${mount.mountPoint} (${mount.type}): ${detail}`)
  }
  return {
    blockSizeBytes: blockSizeBytes ?? 0,
    blocks: blocks ?? 0,
    blocksFree: blocksFree ?? 0,
    blocksAvailable: blocksAvailable ?? 0,
    inodes: inodes ?? 0,
    inodesFree,
  }
}
