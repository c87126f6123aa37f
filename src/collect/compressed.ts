/** Content that a mask cannot look into, told by its first bytes. */

const MAGIC: readonly (readonly [string, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
]

/** The codec of the content that begins with this chunk; undefined when it is none of the known ones. */
export function compressionOf(chunk: Uint8Array): string | undefined {
  return MAGIC.find(([, magic]) => magic.every((byte, index) => chunk[index] === byte))?.[0]
}
