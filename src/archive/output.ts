/**
 * The compressed stream on its way out: header, segments in order, idle bytes while there is nothing to say, trailer.
 * At most a few segments wait for the sink; whoever appends more waits with them, which is the backpressure that
 * reaches every source.
 */
import type { Codec } from './codec.ts'
import { combineCrc32 } from './crc32.ts'
import type { Segment } from './segments.ts'

/** Where the archive goes: resolves when it may take more, rejects when it is gone. */
export interface Sink {
  write(chunk: Buffer): Promise<void>
  /** Less than this may stay inside the sink until more comes; without it, all goes on at once. */
  readonly holdsBytes?: number
}

/** Segments that may wait for the sink. With pieces of 1 MiB this is ≤ 6 MiB, far less compressed. */
const QUEUE_LENGTH = 6

/** Silence after which idle bytes go out. Gateways commonly give up after 15 to 60 s. */
const IDLE_MS = 10_000

export class Output {
  readonly #sink: Sink
  readonly #codec: Codec
  readonly #idle: Buffer | undefined
  readonly #idleMs: number
  readonly #waiting: (() => void)[] = []
  #queued = 0
  #tail: Promise<void>
  #failure: { error: unknown } | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #crc32 = 0
  #ended = false
  /** Uncompressed bytes appended so far. */
  bytesIn = 0
  /** Compressed bytes that the sink has taken. */
  bytesOut = 0

  constructor(sink: Sink, codec: Codec, idleMs = IDLE_MS) {
    this.#sink = sink
    this.#codec = codec
    this.#idle = codec.idle(sink.holdsBytes ?? 0)
    this.#idleMs = idleMs
    this.#tail = this.#write(codec.header)
    this.#tail.catch((error: unknown) => this.#fail(error))
  }

  /** Puts a segment behind those before it; resolves when there is room for another. Rejects once the sink is gone. */
  async append(segment: Segment | Promise<Segment>): Promise<void> {
    this.#throwIfFailed()
    this.#queued++
    this.#tail = this.#tail.then(async () => this.#emit(await segment))
    this.#tail.catch((error: unknown) => this.#fail(error))
    while (this.#queued > QUEUE_LENGTH && !this.#failure) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#throwIfFailed()
  }

  /** Resolves when the sink has taken everything appended so far. */
  async drained(): Promise<void> {
    await this.#tail
    this.#throwIfFailed()
  }

  /** Closes the stream behind everything appended; resolves when the sink has taken it. */
  async end(): Promise<void> {
    this.#throwIfFailed()
    this.#ended = true
    clearTimeout(this.#idleTimer)
    // In its turn like everything else: idle bytes that are on their way come before it.
    this.#tail = this.#tail.then(() => this.#write(this.#codec.trailer(this.#crc32, this.bytesIn)))
    await this.#tail
    this.#throwIfFailed()
    this.close()
  }

  /** Stops the idle timer; nothing is sent any more. */
  close(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    this.#fail(new Error('the archive is closed'))
  }

  async #emit(segment: Segment): Promise<void> {
    this.#throwIfFailed()
    this.#crc32 = combineCrc32(this.#crc32, segment.crc32, segment.lengthBytes)
    this.bytesIn += segment.lengthBytes
    await this.#write(segment.bytes)
    this.#queued--
    this.#waiting.shift()?.()
  }

  async #write(bytes: Buffer): Promise<void> {
    clearTimeout(this.#idleTimer)
    if (bytes.length > 0) await this.#sink.write(bytes)
    this.bytesOut += bytes.length
    this.#armIdle()
  }

  #armIdle(): void {
    const idle = this.#idle
    if (idle === undefined || this.#failure || this.#ended) return
    this.#idleTimer = setTimeout(() => {
      this.#tail = this.#tail.then(() => (this.#failure ? undefined : this.#write(idle)))
      this.#tail.catch((error: unknown) => this.#fail(error))
    }, this.#idleMs)
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    clearTimeout(this.#idleTimer)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error
  }
}
