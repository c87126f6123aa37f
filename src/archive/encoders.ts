/**
 * Encoders of zlib that are used again: one for each piece would be garbage outside of V8's heap, a megabyte for each, and V8
 * goes through all of its heap for every 30 of them.
 */
import type { DeflateRaw, ZstdCompress } from 'node:zlib'

/** Output is gathered in chunks of this size: one holds a segment of logs, so that none takes a second trip to the pool. */
const OUTPUT_CHUNK_BYTES = 256 * 1024
/** What is shorter is copied: it would keep a chunk alive for itself. */
const SHORT_BYTES = 32 * 1024

type Stream = DeflateRaw | ZstdCompress

export interface Encoders {
  compress(piece: Buffer): Promise<Buffer>
  close(): void
}

/** `create` makes one that flushes with every write, so that no piece needs what was before it. */
export function createEncoders(create: (output: { chunkSize: number }) => Stream): Encoders {
  const free: Encoder[] = []
  let closed = false
  return {
    async compress(piece) {
      const encoder = free.pop() ?? new Encoder(create({ chunkSize: OUTPUT_CHUNK_BYTES }))
      const bytes = await encoder.compress(piece)
      if (closed) encoder.close()
      else free.push(encoder)
      return bytes
    },
    close() {
      closed = true
      for (const encoder of free.splice(0)) encoder.close()
    },
  }
}

class Encoder {
  readonly #stream: Stream
  #out: Buffer[] = []

  constructor(stream: Stream) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#out.push(chunk))
    // Whoever writes gets it.
    stream.on('error', () => {})
  }

  /** Output comes as it is made; all of it is there when the write is done. */
  compress(piece: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#stream.write(piece, (error) => {
        if (error) return reject(error)
        const out = this.#out
        this.#out = []
        resolve(out.length === 1 && out[0]!.length > SHORT_BYTES ? out[0]! : Buffer.concat(out))
      })
    })
  }

  close(): void {
    this.#stream.destroy()
  }
}
