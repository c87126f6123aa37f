/** Compressed logs: told by their first bytes, unpacked while they are read. */
import { pipeline, Readable, type Duplex } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { RegularFile } from './regular.ts'

export type Codec = { name: 'gzip' | 'zstd'; known: true } | { name: string; known: false }

/** What is needed of a file to tell its codec. */
export const magicBytes = 16

const magics: readonly { magic: string; codec: Codec }[] = [
  { magic: '1f8b08', codec: { name: 'gzip', known: true } },
  { magic: '28b52ffd', codec: { name: 'zstd', known: true } },
  { magic: 'fd377a585a00', codec: { name: 'xz', known: false } },
  { magic: '425a68..314159265359', codec: { name: 'bzip2', known: false } },
  { magic: '04224d18', codec: { name: 'lz4', known: false } },
  { magic: '02214c18', codec: { name: 'lz4', known: false } },
  { magic: '5d0000....(00|ff)', codec: { name: 'lzma', known: false } },
  { magic: '1f9d', codec: { name: 'compress (.Z)', known: false } },
  { magic: '4c5a4950', codec: { name: 'lzip', known: false } },
  { magic: '504b0304', codec: { name: 'zip', known: false } },
  { magic: '377abcaf271c', codec: { name: '7z', known: false } },
]

/** zlib's own output buffers; what a damaged file loses is less than one of them. */
const chunkSize = 32 * 1024
const inputBytes = 64 * 1024

/** The codec of a file by its first 16 bytes; brotli, which marks nothing, by its name. undefined: not compressed. */
export function codecOf(head: Buffer, name: string): Codec | undefined {
  const hex = head.toString('hex')
  const known = magics.find(({ magic }) => new RegExp(`^${magic}`).test(hex))
  return known?.codec ?? (name.endsWith('.br') ? { name: 'brotli', known: false } : undefined)
}

/** The name of the contents: `syslog.2.gz` → `syslog.2`. Of what cannot be unpacked the name stays. */
export function plainName(name: string): string {
  return /(?:^|\/)[^/]+\.(?:gz|zst)$/.test(name) ? name.replace(/\.(?:gz|zst)$/, '') : name
}

/** The contents of a compressed file. Throws zlib's error (it has a `code`) where they are damaged. */
export async function* unpacked(file: RegularFile, codec: 'gzip' | 'zstd'): AsyncGenerator<Buffer, void, void> {
  for (let start = 0; start < file.sizeBytes;) {
    const decoder = codec === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize })
    yield* decoded(file, start, decoder)
    // Node's zstd stops behind the first frame of several; its gunzip goes through all members.
    start += decoder.bytesWritten
    if (codec === 'gzip' || decoder.bytesWritten === 0) return
  }
}

async function* decoded(file: RegularFile, start: number, decoder: Duplex): AsyncGenerator<Buffer, void, void> {
  const input = Readable.from(compressed(file, start), { highWaterMark: 1 })
  // What goes wrong comes out of the decoder as well.
  const done = new Promise<void>((resolve) => {
    pipeline(input, decoder, () => resolve())
  })
  try {
    for await (const chunk of decoder) yield chunk as Buffer
  } finally {
    input.destroy()
    decoder.destroy()
    await done
  }
}

async function* compressed(file: RegularFile, start: number): AsyncGenerator<Buffer, void, void> {
  for (let at = start; at < file.sizeBytes;) {
    const part = await file.readAt(at, inputBytes)
    if (part.length === 0) return
    at += part.length
    yield part
  }
}
