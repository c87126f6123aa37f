/** The names in a folder, bounded in number and time. */
import { opendir } from 'node:fs/promises'
import { onDisk, pathText, printable } from './paths.ts'
import { lookMs, patiently } from './patience.ts'
import type { SourceContext } from './source.ts'

export interface Listed {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/** The names in a folder (a real path on a mount that may be touched), at most `most`, in the folder's order. */
export async function listFolder(ctx: SourceContext, real: string, most: number): Promise<Listed[]> {
  const listing = namesOf(onDisk(ctx, real), most, ctx.signal)
  return patiently(listing, printable(real), { ms: lookMs, signal: ctx.signal })
}

async function namesOf(folder: Buffer, most: number, signal: AbortSignal): Promise<Listed[]> {
  const names: Listed[] = []
  if (most <= 0) return names
  // Names are bytes; @types/node does not know this encoding for opendir.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }
  for await (const entry of await opendir(folder, options)) {
    const name = pathText(entry.name as unknown as Buffer)
    const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other'
    names.push({ name, kind })
    if (names.length >= most || signal.aborted) break
  }
  return names
}
