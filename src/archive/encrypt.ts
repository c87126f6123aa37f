/**
 * Encryption to recipients (the age format), on its way out and in a worker: the library holds a thread for as long as
 * it has bytes to work on. What is under way is bounded by a window, so that a slow sink slows down who writes.
 */
import { Worker } from 'node:worker_threads'
import type { Sink } from './output.ts'

export interface EncryptedSink extends Sink {
  /** Encrypted bytes that the inner sink has taken. */
  bytesOut(): number
  /** Closes the encrypted stream; resolves when the inner sink has taken all of it. It stays open itself. */
  end(): Promise<void>
  /** Resolves when the worker is gone, whatever state it was in. */
  destroy(): Promise<void>
}

/** The age format encrypts chunks of this size, and knows that one is not the last when a byte follows it. */
const CHUNK_BYTES = 64 * 1024
/** Handed over to the worker as one message. */
const PIECE_BYTES = 256 * 1024
/** Given to the worker and not yet taken by the inner sink. */
const WINDOW_BYTES = 4 * PIECE_BYTES

export function encryptedSink(sink: Sink, recipients: readonly string[]): EncryptedSink {
  const worker = new Worker(new URL('encrypt-worker.ts', import.meta.url), { workerData: recipients, execArgv: [] })
  const ended = Promise.withResolvers<void>()
  ended.promise.catch(() => {})
  const underWay = createAllowance(WINDOW_BYTES)
  let delivered = Promise.resolve()
  let bytesOut = 0
  let gone: Promise<unknown> | undefined

  // Every call waits with a listener of its own, and what fails may fail again with each chunk that was under way.
  const terminate = () => (gone ??= worker.terminate())
  const fail = (error: unknown) => {
    underWay.revoke(error)
    ended.reject(error)
    void terminate()
  }
  const deliver = async (encrypted: Uint8Array) => {
    underWay.check()
    await sink.write(Buffer.from(encrypted.buffer, encrypted.byteOffset, encrypted.length))
    bytesOut += encrypted.length
    // A chunk is longer than what it encrypts, by its tag.
    underWay.giveBack(Math.min(encrypted.length, CHUNK_BYTES))
  }
  worker.on('message', (message: Uint8Array | 'ended') => {
    delivered = delivered.then(() => (message === 'ended' ? ended.resolve() : deliver(message)))
    delivered.catch(fail)
  })
  worker.on('error', (cause: Error) => fail(new Error(`the encryption failed: ${cause.message}`, { cause })))
  worker.on('messageerror', fail)
  // What it said before comes first; after its end this means nothing any more.
  worker.on('exit', () => void delivered.then(() => fail(new Error('the encryption has stopped')), fail))

  const write = async (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      // A copy: it changes hands, and the memory it stands in is its owner's.
      const piece = new Uint8Array(chunk.subarray(at, at + PIECE_BYTES))
      await underWay.take(piece.length)
      worker.postMessage(piece, [piece.buffer])
    }
  }
  const end = async () => {
    underWay.check()
    worker.postMessage('end', [])
    await ended.promise
  }
  const destroy = async () => {
    fail(new Error('the encryption is closed'))
    await terminate()
  }
  return { holdsBytes: CHUNK_BYTES, write, end, destroy, bytesOut: () => bytesOut }
}

/** So many bytes may be under way; whoever takes more waits until some are given back. */
function createAllowance(limitBytes: number) {
  const waiting: (() => void)[] = []
  let takenBytes = 0
  let revoked: { error: unknown } | undefined
  const resume = () => {
    for (const go of waiting.splice(0)) go()
  }
  const check = () => {
    if (revoked) throw revoked.error
  }
  const hasRoom = (bytes: number) => revoked !== undefined || takenBytes + bytes <= limitBytes
  const take = async (bytes: number) => {
    while (!hasRoom(bytes)) await new Promise<void>((resolve) => waiting.push(resolve))
    check()
    takenBytes += bytes
  }
  const giveBack = (bytes: number) => {
    takenBytes -= bytes
    resume()
  }
  /** Whoever waits or comes later gets the error, the first one. */
  const revoke = (error: unknown) => {
    revoked ??= { error }
    resume()
  }
  return { take, giveBack, revoke, check }
}
