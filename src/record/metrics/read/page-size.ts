/** How large a page of memory is: 4 KiB, but 16 or 64 on some ARM machines. */
import type { Files } from './files.ts'

const AT_PAGESZ = 6n
const USUAL_BYTES = 4096

/** From what the kernel handed this process at its start (man 3 getauxval): pairs of a kind and a value. */
export function pageSizeBytes(files: Files): number {
  const auxv = files.bytes('/proc/self/auxv') ?? Buffer.alloc(0)
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === AT_PAGESZ) return Number(auxv.readBigUInt64LE(at + 8))
  }
  return USUAL_BYTES
}
