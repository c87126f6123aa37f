/** CRC-32 of the parts of an upload, and of the whole by them: no byte is read twice. */
import { crc32 } from 'node:zlib'
import { combineCrc32 } from '../../archive/crc32.ts'

export interface Sums {
  /** Of a part, or of all that there is as part 1. @returns as AWS writes it. */
  add(number: number, bytes: Buffer): string
  /** Of all parts in their order. */
  whole(): string
}

export function createSums(): Sums {
  const parts: { readonly crc: number; readonly sizeBytes: number }[] = []
  return {
    add(number, bytes) {
      const crc = crc32(bytes)
      parts[number - 1] = { crc, sizeBytes: bytes.length }
      return base64(crc)
    },
    whole: () => base64(parts.reduce((all, { crc, sizeBytes }) => combineCrc32(all, crc, sizeBytes), 0)),
  }
}

/** Big-endian. */
function base64(crc: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc)
  return bytes.toString('base64')
}
