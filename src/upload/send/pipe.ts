/** Reads a pipe into one piece of memory, again and again: a stream takes new memory for every 64 KiB, and to clear that away takes a child longer than its hashes. */
import { Socket } from 'node:net'

/** More than a pipe between two processes holds. */
const READ_BYTES = 256 * 1024

export interface Pipe {
  /** Each is good until the next is asked for; nothing is read before. Throws what reading fails with. */
  readonly chunks: AsyncIterable<Buffer>
  /** The chunks end. */
  destroy(): void
}

export function openPipe(fd: number): Pipe {
  let read = Promise.withResolvers<Buffer | undefined>()
  const callback = (length: number, { buffer, byteOffset }: Uint8Array) => {
    read.resolve(Buffer.from(buffer, byteOffset, length))
    // No more before it is asked for.
    return false
  }
  const socket = new Socket({
    fd,
    writable: false,
    onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback },
  })
  let failure: Error | undefined
  let isOver = false
  socket.once('error', (error) => (failure = error))
  for (const event of ['end', 'close'])
    socket.once(event, () => {
      isOver = true
      read.resolve(undefined)
    })
  return {
    chunks: (async function* () {
      try {
        for (;;) {
          const chunk = await read.promise
          if (failure !== undefined) throw failure
          if (chunk === undefined) return
          yield chunk
          if (isOver) return
          read = Promise.withResolvers()
          socket.resume()
        }
      } finally {
        socket.destroy()
      }
    })(),
    destroy: () => void socket.destroy(),
  }
}
