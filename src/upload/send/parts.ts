/** The stream of a bundle, cut into parts and sent, several at a time: in order they come, out of order they arrive. */
import { createHash } from 'node:crypto'
import { failed, Failed } from '../target/failed.ts'
import type { PartDone, Place, Whole } from '../target/place.ts'
import type { Sent } from '../upload.ts'
import { createBuffers } from './buffers.ts'

export interface Feed {
  readonly input: AsyncIterable<Buffer>
  /** Resolves when whoever writes says that it was all. */
  end(): Promise<{ readonly sizeBytes: number; readonly metadata: Readonly<Record<string, string>> }>
  /** Resolves when the id is where a crash does not lose it. */
  keep(multipartId: string): Promise<void>
}

/**
 * What is less than a part goes as one. `broken` aborts what is under way, here and by whoever gave it.
 *
 * @throws Failed; nothing is left at the target then, or the message says so.
 */
export async function sendParts(place: Place, feed: Feed, broken: AbortController): Promise<Sent> {
  const parts = createParts(place, feed, broken)
  try {
    if (place.begun !== undefined) await feed.keep(place.begun)
    const whole = await readAll(parts, feed, broken.signal)
    await parts.finish(whole)
    const { verified, note } = await place.verify(whole)
    const notes = [...(note === undefined ? [] : [note]), ...(await place.retain())]
    return { key: place.key, sizeBytes: whole.sizeBytes, sha256: whole.sha256, verified, notes }
  } catch (error) {
    broken.abort(error)
    throw await parts.cleared(asFailed(broken.signal.reason))
  }
}

function asFailed(error: unknown): Failed {
  if (error instanceof Failed) return error
  const { name, message } = error as Error
  return failed('internal', `the upload failed: ${name}: ${message}`)
}

async function readAll(parts: Parts, feed: Feed, broken: AbortSignal): Promise<Whole> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of feed.input) {
    broken.throwIfAborted()
    hash.update(chunk)
    sizeBytes += chunk.length
    await parts.add(chunk)
  }
  broken.throwIfAborted()
  const told = await feed.end()
  if (told.sizeBytes !== sizeBytes)
    throw failed('internal', `${sizeBytes} bytes of the bundle came in, ${told.sizeBytes} were sent`)
  return { sizeBytes, sha256: hash.digest('hex'), metadata: told.metadata }
}

type Parts = ReturnType<typeof createParts>

function createParts(place: Place, feed: Feed, broken: AbortController) {
  const buffers = createBuffers(broken.signal)
  const underWay = new Set<Promise<void>>()
  const done: PartDone[] = []
  let number = 1
  let buffer: Buffer | undefined
  let filled = 0
  let id = place.begun
  /** From then on the target has it as a whole, or says why not. */
  let isCompleted = false

  const send = async (part: number, whole: Buffer, bytes: Buffer) => {
    try {
      done.push(await place.part(part, bytes))
    } catch (error) {
      broken.abort(error)
    } finally {
      buffers.giveBack(whole)
    }
  }
  const flush = async () => {
    if (id === undefined) {
      id = await place.begin()
      await feed.keep(id)
    }
    const sending = send(number++, buffer!, buffer!.subarray(0, filled)).finally(() => underWay.delete(sending))
    underWay.add(sending)
    buffer = undefined
    filled = 0
  }
  const next = async () => {
    const bytes = place.partBytes(number)
    if (bytes === undefined)
      throw failed('too-large', `the bundle is larger than the ${number - 1} parts that it may have`)
    return buffers.take(bytes)
  }
  return {
    async add(chunk: Buffer): Promise<void> {
      for (let at = 0; at < chunk.length;) {
        // Not before there is more: what fills exactly one part goes as one.
        if (buffer !== undefined && filled === buffer.length) await flush()
        buffer ??= await next()
        const copied = chunk.copy(buffer, filled, at)
        filled += copied
        at += copied
      }
    },
    async finish(whole: Whole): Promise<void> {
      if (id === undefined) return place.put(buffer?.subarray(0, filled) ?? Buffer.alloc(0), whole)
      buffer ??= Buffer.alloc(0)
      if (filled > 0 || number === 1) await flush()
      await Promise.all(underWay)
      broken.signal.throwIfAborted()
      await place.complete(
        done.toSorted((a, b) => a.number - b.number),
        whole,
      )
      isCompleted = true
    },
    /** After a failure: what lies at the target is removed, once. @returns the failure, with what could not be removed. */
    async cleared(why: Failed): Promise<Failed> {
      await Promise.all(underWay)
      if (id === undefined || isCompleted) return why
      try {
        await place.abort(id, place.key)
        return why
      } catch (left) {
        const message = `${why.message}; what was sent of it could not be removed: ${(left as Error).message}`
        return new Failed({ ...why.failure, message })
      }
    },
  }
}
