/** A response as the sink of a bundle: backpressure, and a reset when it cannot be finished. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Sink } from '../collect/types.ts'
import { bytesUnderWay } from './progress.ts'
import { rawSocketOf } from './raw-socket.ts'

export interface ResponseSink extends Sink {
  /** Ends the response whole. Resolves when the last byte is handed to the kernel, rejects when the client is gone. */
  end(): Promise<void>
}

/**
 * @param begin sets status and headers; called with the first byte, so that until then a proper error can be answered.
 * @param stallMs a client that takes no byte for so long loses its place (found out within three times that).
 */
export function responseSink(
  response: ServerResponse,
  options: { begin: () => void; stallMs: number; onStall: () => void },
): ResponseSink {
  let begun = false
  const begin = () => {
    if (!begun) options.begin()
    begun = true
  }
  const { onStall, stallMs } = options
  // Node's timer sees what the kernel took off our hands. It takes big bites, TLS in bites of its own: the last word has
  // what the client acknowledged, so that a slow one is not taken for one that stands still.
  let underWay: number | undefined
  let waiting: object | undefined
  response.on('timeout', async () => {
    const [before, wait] = [underWay, waiting]
    underWay = response.socket ? await bytesUnderWay(response.socket) : undefined
    if (response.destroyed || waiting !== wait) return
    if (underWay === undefined || underWay === before) onStall()
    else response.setTimeout(stallMs)
  })
  const taken = async (send: (done: () => void) => boolean) => {
    if (response.destroyed) throw new Error('the client is gone')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = () => reject(new Error('the client is gone'))
    try {
      waiting = {}
      response.once('close', gone)
      response.setTimeout(stallMs)
      if (send(resolve)) resolve()
      await promise
    } finally {
      response.off('close', gone)
      response.setTimeout(0)
      waiting = undefined
    }
  }
  return {
    async write(chunk) {
      begin()
      const drained = (resolve: () => void) => response.once('drain', resolve)
      await taken((resolve) => response.write(chunk) || (drained(resolve), false))
    },
    async end() {
      begin()
      await taken((resolve) => (response.end(resolve), false))
    },
  }
}

/** Cuts the connection so that nobody can take what arrived for the whole. */
export function resetConnection(socket: Socket | null): void {
  if (!socket || socket.destroyed) return
  const raw = rawSocketOf(socket)
  // Only TCP has a reset; a unix socket that closes before the last chunk is an error to its client all the same.
  if (raw?.remoteAddress !== undefined) raw.resetAndDestroy()
  socket.destroy()
}
