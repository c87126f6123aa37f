/**
 * An answer of an engine that goes on for days, read as it comes: HTTP/1.0 on a socket of our own.
 *
 * The engine flushes after every line. In HTTP/1.1 each is a chunk of its own, and an HTTP library makes a buffer and an event of each: more work than all
 * that comes after it. To a request of version 1.0 the engine sends the body as it is and closes the connection at its end (RFC 9112, section 6.3).
 */
import { connect, type Socket } from 'node:net'

export interface FollowEvents {
  /** The engine agreed. It may say so only with the first line. */
  open(): void
  /** Good for the time of the call. False: the next only after `resume`. */
  bytes(bytes: Buffer, length: number): boolean
  /** Once, at last. `refused`: what the engine answered instead. `reason`: why it broke off; undefined when the engine ended it. */
  end(end: { refused?: { status: number; message: string }; reason?: string }): void
}

export interface Following {
  resume(): void
  /** Nothing is told any more, not even the end. */
  close(): void
}

/** What is read at once; of all connections together, for it is used up before the next read. */
const READ_BYTES = 16 * 1024
const HEAD_BYTES = 16 * 1024
const REFUSAL_BYTES = 64 * 1024
/**
 * Reads that bring little, one after the other, mean that the engine writes line by line while we keep up: then we wait for a moment, and read many at
 * once. Its socket holds some 270 lines.
 */
const SMALL_BYTES = 8 * 1024
const MANY_READS = 16
const REST_MS = 1

const shared = Buffer.allocUnsafeSlow(READ_BYTES)

export function followEngine(socket: string, path: string, events: FollowEvents): Following {
  return new Connection(socket, path, events)
}

class Connection implements Following {
  readonly #socket: Socket
  readonly #events: FollowEvents
  /** Of the head, until it is whole. */
  #head: Buffer | undefined = Buffer.alloc(0)
  #refusal: { status: number; body: Buffer } | undefined
  #reason: string | undefined
  #closed = false
  #smallReads = 0
  #turn = 0
  #resting: NodeJS.Timeout | undefined
  #paused = false

  constructor(path: string, request: string, events: FollowEvents) {
    this.#events = events
    this.#socket = connect({
      path,
      onread: { buffer: shared, callback: (length, bytes) => this.#read(bytes as Buffer, length) },
    })
    this.#socket.on('error', (error: Error) => {
      this.#reason = error.message
    })
    this.#socket.on('close', () => this.#end())
    this.#socket.write(`GET ${request} HTTP/1.0\r\nHost: localhost\r\n\r\n`)
  }

  resume(): void {
    this.#paused = false
    if (!this.#resting && !this.#closed) this.#socket.resume()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#resting)
    this.#socket.destroy()
  }

  /** True: it wants more. */
  #read(bytes: Buffer, length: number): boolean {
    if (this.#closed) return false
    if (this.#refusal) return this.#readRefusal(bytes.subarray(0, length))
    if (this.#head) return this.#readHead(bytes.subarray(0, length))
    if (!this.#events.bytes(bytes, length)) this.#paused = true
    return !this.#closed && !this.#paused && !this.#rests(length)
  }

  #readHead(bytes: Buffer): boolean {
    const head = Buffer.concat([this.#head!, bytes])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#head = head
      if (head.length > HEAD_BYTES) this.#fail('what it answers is not HTTP')
      return !this.#closed
    }
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, end))?.[1])
    if (Number.isNaN(status)) return this.#fail('what it answers is not HTTP')
    this.#head = undefined
    const body = head.subarray(end + 4)
    if (status !== 200) {
      this.#refusal = { status, body: Buffer.alloc(0) }
      return this.#readRefusal(body)
    }
    this.#events.open()
    for (let at = 0; at < body.length && !this.#closed; at += READ_BYTES) {
      const piece = body.subarray(at, at + READ_BYTES)
      if (!this.#events.bytes(piece, piece.length)) this.#paused = true
    }
    return !this.#closed && !this.#paused
  }

  #readRefusal(bytes: Buffer): boolean {
    const refusal = this.#refusal!
    refusal.body = Buffer.concat([refusal.body, bytes])
    if (refusal.body.length <= REFUSAL_BYTES) return true
    this.#socket.destroy()
    return false
  }

  #fail(reason: string): false {
    this.#reason = reason
    this.#socket.destroy()
    return false
  }

  /** Whether to wait until more has come. */
  #rests(length: number): boolean {
    const now = Math.floor(performance.now() / 8)
    if (now !== this.#turn || length > SMALL_BYTES) this.#smallReads = 0
    this.#turn = now
    if (++this.#smallReads < MANY_READS) return false
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      if (!this.#paused && !this.#closed) this.#socket.resume()
    }, REST_MS)
    return true
  }

  #end(): void {
    clearTimeout(this.#resting)
    if (this.#closed) return
    this.#closed = true
    const { status, body } = this.#refusal ?? {}
    if (status !== undefined && body) this.#events.end({ refused: { status, message: messageIn(body.toString()) } })
    else if (this.#reason !== undefined) this.#events.end({ reason: this.#reason })
    else if (this.#head) this.#events.end({ reason: 'it gave no answer' })
    else this.#events.end({})
  }
}

/** Engines answer `{"message":"…"}`. */
function messageIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message)
  } catch {
    // Its text is the message.
  }
  return text.slice(0, 1000).trim() || 'no message'
}
