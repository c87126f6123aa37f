/** The key of this node that the tokens in masks are made with. It is made once, and never leaves. */
import { randomBytes } from 'node:crypto'
import { constants, link, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const KEY_BYTES = 32

export interface NodeKey {
  readonly bytes: Uint8Array
  /** `node`: kept in the state folder, so tokens are the same in every bundle. `process`: it could not be. */
  readonly kept: 'node' | 'process'
  /** Why it could not be kept. */
  readonly problem?: string
}

/** A disk that has not brought 32 bytes by then does not answer at all; nobody starts before the key is there. */
const PATIENCE_MS = 5000

/** Reads the key, or makes it. Never fails: without a place to keep it, it lives as long as the process. */
export async function nodeKey(path: string, patienceMs = PATIENCE_MS): Promise<NodeKey> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${path}: no answer within ${patienceMs} ms`)), patienceMs)
  try {
    return { bytes: await Promise.race([kept(path), late.promise]), kept: 'node' }
  } catch (error) {
    return { bytes: randomBytes(KEY_BYTES), kept: 'process', problem: (error as Error).message }
  } finally {
    clearTimeout(timer)
  }
}

async function kept(path: string): Promise<Uint8Array> {
  return (await readKey(path)) ?? makeKey(path)
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  let file
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile() || (stats.mode & 0o077) !== 0)
      throw new Error(`${path} can be read by others; it has to be a file of mode 0600`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(KEY_BYTES), 0, KEY_BYTES, 0)
    if (bytesRead < KEY_BYTES) throw new Error(`${path} holds ${bytesRead} bytes; a key has ${KEY_BYTES}`)
    return buffer
  } finally {
    await file.close()
  }
}

/** Another process may make it at the same moment: then its key is the key. Nobody ever sees a half of one. */
async function makeKey(path: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const key = randomBytes(KEY_BYTES)
  const part = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeKey(part, key)
    await link(part, path)
    return key
  } catch (error) {
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKey(path) : undefined
    if (there) return there
    throw error
  } finally {
    await rm(part, { force: true })
  }
}

async function writeKey(path: string, key: Uint8Array): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(key)
    await file.sync()
  } finally {
    await file.close()
  }
}
