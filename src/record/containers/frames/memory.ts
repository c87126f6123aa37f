/**
 * The newest frames of a log by time, stream and hash: what was seen is known again when the engine sends it once more.
 *
 * The engine can only be asked for what came since a time, and stdout and stderr go back against each other by some
 * milliseconds. So it is asked for what came since some seconds before the last frame, and what is known is left out: each
 * frame as often as it was seen.
 */

/** The engine is asked for what came so long before the last frame. */
const OVERLAP_SECONDS = 2
/** So much is remembered, or as many frames: 6 s of 5000 lines each. Of a flood it is some tenths of a second, still a hundred times more than streams differ. */
const KEPT_SECONDS = 4
const MOST_FRAMES = 32 * 1024
/** Of a frame: seconds since 1970; nanoseconds, and above them the stream; a hash of its text. */
const WORDS = 3
const FIRST_FRAMES = 16
/** Nanoseconds take 30 bits. */
export const STREAM_SHIFT = 30
const NANOS_MASK = 2 ** STREAM_SHIFT - 1

export class FrameMemory {
  #ring = new Uint32Array(FIRST_FRAMES * WORDS)
  /** Counts frames; the ring holds those of [#from, #to). */
  #from = 0
  #to = 0
  /** What was given up for want of room was this new. */
  #lost: readonly [seconds: number, nanos: number] = [0, 0]
  #known: KnownFrames | undefined
  /** Of all that ever came: more than those that are remembered when the clock was set back. */
  highestSeconds = 0

  get frames(): number {
    return this.#to - this.#from
  }

  /** The last one that came. */
  get last(): { seconds: number; nanos: number } | undefined {
    if (this.frames === 0) return undefined
    const at = this.#at(this.#to - 1)
    return { seconds: this.#ring[at]!, nanos: this.#ring[at + 1]! & NANOS_MASK }
  }

  add(seconds: number, nanosAndStream: number, hash: number): void {
    if (this.#to - this.#from === this.#ring.length / WORDS) this.#makeRoom(seconds)
    if (seconds > this.highestSeconds) this.highestSeconds = seconds
    const at = this.#at(this.#to++)
    this.#ring[at] = seconds
    this.#ring[at + 1] = nanosAndStream
    this.#ring[at + 2] = hash
  }

  /**
   * From where the engine is to be asked again: `since` of its API, inclusive. undefined: from the beginning.
   * `wholeSeconds`: the engine knows no fractions.
   */
  since(wholeSeconds: boolean): string | undefined {
    const { last } = this
    if (!last) return undefined
    const { seconds, nanos } = last
    const [lostSeconds, lostNanos] = this.#lost
    if (wholeSeconds) return String(Math.max(seconds - OVERLAP_SECONDS, Math.min(lostSeconds + 1, seconds), 0))
    const early: readonly [number, number] = [Math.max(0, seconds - OVERLAP_SECONDS), nanos]
    const [fromSeconds, fromNanos] = later(early, this.#lost) ? early : next(lostSeconds, lostNanos)
    return `${fromSeconds}.${String(fromNanos).padStart(9, '0')}`
  }

  /** The engine begins again: what comes is compared with what is remembered now. */
  compare(): void {
    this.#known = this.frames === 0 ? undefined : new KnownFrames(this.all(), this.highestSeconds, this.#lost[0])
  }

  /** Whether the frame was seen before the last `compare`; each as often as it was. */
  isKnown(seconds: number, nanosAndStream: number, hash: number): 'new' | 'known' | 'ambiguous' {
    const known = this.#known
    if (!known) return 'new'
    if (known.isPast(seconds)) {
      this.#known = undefined
      return 'new'
    }
    return known.take(seconds, nanosAndStream, hash)
  }

  get comparing(): boolean {
    return this.#known !== undefined
  }

  /** What is remembered, the oldest first. */
  all(): Uint32Array {
    return this.newest(this.frames)
  }

  newest(frames: number): Uint32Array {
    const count = Math.min(frames, this.frames)
    const words = new Uint32Array(count * WORDS)
    for (let index = 0; index < count; index++) {
      const at = this.#at(this.#to - count + index)
      words.set(this.#ring.subarray(at, at + WORDS), index * WORDS)
    }
    return words
  }

  /** What `all` or `newest` gave another memory. Where that is so much that others may have been given up before, the engine is not asked for those. */
  load(words: Uint32Array): void {
    for (let at = 0; at < words.length; at += WORDS) this.add(words[at]!, words[at + 1]!, words[at + 2]!)
    if (this.frames < MOST_FRAMES / 2) return
    // Of the moment of the oldest one, too, some may have been.
    const at = this.#at(this.#from)
    const oldest: readonly [number, number] = [this.#ring[at]!, this.#ring[at + 1]! & NANOS_MASK]
    if (later(oldest, this.#lost)) this.#lost = oldest
  }

  #at(frame: number): number {
    return (frame % (this.#ring.length / WORDS)) * WORDS
  }

  /** Forgets what is too old, or else takes more memory, or else forgets the oldest half. */
  #makeRoom(seconds: number): void {
    const had = this.frames
    while (this.#from < this.#to && Math.abs(seconds - this.#ring[this.#at(this.#from)]!) > KEPT_SECONDS) this.#from++
    if (this.frames < had / 2) return
    if (this.#ring.length < MOST_FRAMES * WORDS) return this.#resize(this.#ring.length * 2)
    const to = this.#to - MOST_FRAMES / 2
    for (; this.#from < to; this.#from++) {
      const at = this.#at(this.#from)
      const one: readonly [number, number] = [this.#ring[at]!, this.#ring[at + 1]! & NANOS_MASK]
      if (later(one, this.#lost)) this.#lost = one
    }
  }

  #resize(words: number): void {
    const kept = this.all()
    this.#ring = new Uint32Array(words)
    this.#ring.set(kept)
    this.#from = 0
    this.#to = kept.length / WORDS
  }
}

/** Frames in a table with open addresses, equal ones once with their number: thousands of them cost a few arrays. */
class KnownFrames {
  readonly #frames: Uint32Array
  /** 1 + the number of a frame; 0 is free. */
  readonly #table: Uint16Array
  /** By frame: as often as it was seen, and how many of these did not come again yet. */
  readonly #seen: Uint16Array
  readonly #left: Uint16Array
  readonly #newestSeconds: number
  /** Of the clock before it was set back: frames up to then may come first. */
  readonly #aheadSeconds: number
  /** Of this second and before, some were forgotten. */
  readonly #lostSeconds: number
  #met = false

  constructor(frames: Uint32Array, highestSeconds: number, lostSeconds: number) {
    const count = frames.length / WORDS
    this.#frames = frames
    this.#table = new Uint16Array(2 ** Math.ceil(Math.log2(count * 2 + 2)))
    this.#seen = new Uint16Array(count)
    let newest = 0
    for (let frame = 0; frame < count; frame++) {
      const at = frame * WORDS
      const slot = this.#find(frames[at]!, frames[at + 1]!, frames[at + 2]!)
      if (this.#table[slot] === 0) this.#table[slot] = frame + 1
      this.#seen[this.#table[slot]! - 1]! += 1
      newest = Math.max(newest, frames[at]!)
    }
    this.#left = this.#seen.slice()
    this.#newestSeconds = newest
    this.#lostSeconds = lostSeconds
    this.#aheadSeconds = highestSeconds > newest + OVERLAP_SECONDS ? highestSeconds : 0
  }

  /** Nothing that is so new was seen, not even with streams that go back against each other. */
  isPast(seconds: number): boolean {
    return seconds > Math.max(this.#newestSeconds + OVERLAP_SECONDS, this.#met ? 0 : this.#aheadSeconds)
  }

  take(seconds: number, nanosAndStream: number, hash: number): 'new' | 'known' | 'ambiguous' {
    const frame = this.#table[this.#find(seconds, nanosAndStream, hash)]! - 1
    if (frame < 0 || this.#left[frame] === 0) {
      // The engine sends in the order of writing: what comes before all that is remembered is older, whatever its time.
      if (this.#met) return 'new'
      if (seconds > this.#newestSeconds + OVERLAP_SECONDS && seconds <= this.#aheadSeconds) return 'known'
      return seconds <= this.#lostSeconds ? 'ambiguous' : 'new'
    }
    this.#met = true
    this.#left[frame]! -= 1
    // With whole seconds, lines that say the same cannot be told apart: an older one may be gone and a newer one be there.
    return this.#seen[frame]! > 1 && (nanosAndStream & NANOS_MASK) === 0 ? 'ambiguous' : 'known'
  }

  /** The slot of that frame, or a free one. */
  #find(seconds: number, nanosAndStream: number, hash: number): number {
    const size = this.#table.length
    let slot = (Math.imul(hash ^ nanosAndStream ^ (seconds << 8), 0x9e3779b1) >>> 7) & (size - 1)
    for (; this.#table[slot] !== 0; slot = (slot + 1) & (size - 1)) {
      const at = (this.#table[slot]! - 1) * WORDS
      const same = this.#frames[at] === seconds && this.#frames[at + 1] === nanosAndStream
      if (same && this.#frames[at + 2] === hash) break
    }
    return slot
  }
}

function later([seconds, nanos]: readonly [number, number], than: readonly [number, number]): boolean {
  return seconds > than[0] || (seconds === than[0] && nanos > than[1])
}

function next(seconds: number, nanos: number): readonly [number, number] {
  return nanos === 999_999_999 ? [seconds + 1, 0] : [seconds, nanos + 1]
}
