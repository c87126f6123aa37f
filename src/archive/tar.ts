/** Tar blocks (POSIX.1-2001 pax). The header encoding is tar-stream's; it is not exported, so a throwaway pack makes it. */
import tarStream from 'tar-stream'

const TAR_BLOCK_BYTES = 512

/** Two zero blocks end an archive. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK_BYTES)

export interface TarMeta {
  readonly path: string
  readonly sizeBytes: number
  readonly mtimeMs: number
  /** In a pax header, for whoever looks for it; readers pass over it. */
  readonly comment?: string | undefined
}

/** The header blocks of a regular file (mode 0644, root), with a pax header where the name asks for one. */
export async function tarHeader({ path, sizeBytes, mtimeMs, comment }: TarMeta): Promise<Buffer> {
  const pack = tarStream.pack()
  // Whole seconds, as the header holds them; a time before 1970 would not fit.
  const mtime = new Date(Math.max(0, Math.floor(mtimeMs / 1000) * 1000))
  const blocks = headerBlocks(pack)
  const pax = comment === undefined ? {} : { pax: { comment } }
  pack
    .entry({ name: path, size: sizeBytes, mtime, mode: 0o644, uname: 'root', gname: 'root', ...pax })
    .on('error', () => {})
  try {
    return await blocks
  } finally {
    pack.destroy()
  }
}

/** Zero bytes that fill the last block of a file of this length. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES)
}

/** The position and value of the type flag that marks a pax header, which stands before the file's own. */
const TYPE_FLAG = 156
const PAX_HEADER = 'x'.charCodeAt(0)

/** What the pack says before it waits for the first byte of the file's body. */
function headerBlocks(pack: tarStream.Pack): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    pack.on('error', reject)
    pack.on('data', (data) => {
      const chunk = data as Buffer
      chunks.push(chunk)
      const first = chunks[0]!
      const expected = first[TYPE_FLAG] === PAX_HEADER ? paxHeaderBytes(first) + TAR_BLOCK_BYTES : TAR_BLOCK_BYTES
      const got = chunks.reduce((sum, { length }) => sum + length, 0)
      if (got === expected) resolve(Buffer.concat(chunks))
    })
  })
}

function paxHeaderBytes(header: Buffer): number {
  const bodyBytes = parseInt(header.toString('latin1', 124, 135), 8)
  return TAR_BLOCK_BYTES + Math.ceil(bodyBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES
}
