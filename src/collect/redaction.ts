/** The mask as one bundle uses it: everything that goes into the archive goes through here, or says that it did not. */
import type { EntryWriter, WrittenFile } from '../archive/entry.ts'
import type { RedactorOptions } from '../redact/configured.ts'
import { type BundleRedactor, RedactionError, type RedactionService } from '../redact/service.ts'
import type { NodeKey } from '../redact/node-key.ts'
import type { SeenValues } from '../redact/seen.ts'
import type { RedactionStream } from '../redact/stream.ts'
import { pathBytes, pathText } from '../sources/paths.ts'
import { textOfSegment, type MaskedSegment } from '../sources/masked-segment.ts'
import { SourceError } from '../sources/source.ts'
import { compressionOf } from './compressed.ts'

/** What outlives one bundle. */
export interface RedactionDeps {
  readonly service: RedactionService
  readonly nodeKey: NodeKey
  /** Of the configuration; `unknown` when it cannot be understood: nothing leaves then. */
  readonly settings: Pick<RedactorOptions, 'names' | 'userRules'> | 'unknown'
  /** Values that the configuration says are secret. */
  readonly values: () => Promise<readonly string[]>
  /** Values that bundles and logs found in what runs here. */
  readonly seen: SeenValues
}

/** An entry on its way into the archive. */
export interface EntryPipe {
  readonly path: string
  /** Bytes handed to the archive so far. */
  readonly writtenBytes: number
  readonly hits: Readonly<Record<string, number>>
  /** Rejects with a `withheld` SourceError when the mask cannot be trusted with it; nothing passes from there on. */
  write(chunk: Buffer): Promise<void>
  /** Puts it behind what was written: spliced as it is where that is wished for and the archive can, else by `write`. */
  segment(segment: MaskedSegment, isSpliced: boolean): Promise<void>
  /** Masks what waits for what comes next: nothing does. */
  flush(): Promise<void>
  end(): Promise<WrittenFile[]>
  discard(): void
}

export interface BundleRedaction {
  readonly masks: boolean
  /** Values looked for wherever they appear. */
  readonly live: readonly string[]
  pipe(writer: EntryWriter): EntryPipe
  /**
   * For what was masked when it was stored: as long as it is. Values that are known to be secret only now become asterisks. Nothing
   * comes when nothing is trusted, or when more is wished for than masks.
   */
  stored(writer: EntryWriter): EntryPipe
  /** A text of diagd's own: a document, a path, a sentence. */
  text(text: string): Promise<string>
  /** What a collector looks at; not counted, for it may come to nothing. */
  look(text: string): Promise<string>
  /** Runs a test over a stream of its own; its masks do not count. */
  test<T>(run: (stream: RedactionStream) => Promise<T>): Promise<T>
  /** Nothing is trusted from now on: every entry is withheld, with this reason. */
  distrust(reason: string): void
  /** Masks of the whole bundle, by rule. */
  readonly hits: Readonly<Record<string, number>>
  close(): void
}

export function createRedaction(service: RedactionService, options: RedactorOptions): BundleRedaction {
  const redactor = service.open(options)
  const total: Record<string, number> = {}
  const count = (hits: Readonly<Record<string, number>>) => {
    for (const [rule, number] of Object.entries(hits)) total[rule] = (total[rule] ?? 0) + number
  }
  let distrusted: string | undefined
  const live = options.live ?? []
  const blanking = live.length > 0 ? service.open({ key: options.key, live, sameLength: true }) : undefined
  return {
    masks: true,
    live,
    hits: total,
    stored(writer) {
      const whyNot = () => whyNotStored(distrusted, options)
      return blanking ? blankingPipe(writer, blanking, { whyNot, count }) : plainPipe(writer, whyNot)
    },
    pipe: (writer) => maskingPipe(writer, redactor, { count, distrusted: () => distrusted }),
    async text(text) {
      // A name of a file may hold bytes that are no UTF-8 (sources/paths.ts); they come out as they went in.
      const odd = !text.isWellFormed()
      const masked = await redactor.whole(odd ? pathBytes(text) : Buffer.from(text))
      count(masked.hits)
      return odd ? pathText(masked.bytes) : masked.bytes.toString()
    },
    look: async (text) => (await redactor.whole(Buffer.from(text))).bytes.toString(),
    test: (run) => run(redactor.stream()),
    distrust: (reason) => {
      distrusted = reason
    },
    close() {
      redactor.close()
      blanking?.close()
    },
  }
}

/** `collect --unmasked`: everything as it is. */
export function noRedaction(): BundleRedaction {
  return {
    masks: false,
    live: [],
    hits: {},
    pipe: (writer) => plainPipe(writer),
    stored: (writer) => plainPipe(writer),
    text: (text) => Promise.resolve(text),
    look: (text) => Promise.resolve(text),
    test: () => Promise.reject(new Error('nothing is masked here')),
    distrust: () => {},
    close: () => {},
  }
}

function whyNotStored(distrust: string | undefined, { pseudonymize }: RedactorOptions): SourceError | undefined {
  if (distrust !== undefined) return new SourceError('withheld', `not handed over: ${distrust}`)
  return pseudonymize && new SourceError('skipped', 'its texts are masked, and not pseudonymized')
}

function plainPipe(writer: EntryWriter, whyNot: () => SourceError | undefined = () => undefined): EntryPipe {
  let writtenBytes = 0
  const write = async (chunk: Buffer) => {
    const reason = whyNot()
    if (reason) throw reason
    await writer.write(chunk)
    writtenBytes += chunk.length
  }
  return {
    path: writer.path,
    hits: {},
    get writtenBytes() {
      return writtenBytes
    },
    write,
    async segment(segment, isSpliced) {
      if (!isSpliced || !writer.splice) return write(await textOfSegment(segment))
      const reason = whyNot()
      if (reason) throw reason
      await writer.splice(segment)
      writtenBytes += segment.lengthBytes
    },
    flush: async () => {},
    end: () => writer.end(),
    discard: () => writer.discard(),
  }
}

/** Whatever happens, as many bytes come out as go in: where it goes wrong they are zeros, and the end says so. */
function blankingPipe(
  writer: EntryWriter,
  redactor: BundleRedactor,
  { whyNot, count }: { whyNot: () => SourceError | undefined; count: Trust['count'] },
): EntryPipe {
  const stream = redactor.stream()
  const plain = plainPipe(writer, whyNot)
  let takenBytes = 0
  let broken: SourceError | undefined
  const send = async (parts: AsyncIterable<Uint8Array>) => {
    try {
      for await (const part of parts) await plain.write(asBuffer(part))
    } catch (error) {
      if (!(error instanceof RedactionError)) throw error
      const from = plain.writtenBytes
      broken = new SourceError('partial', `zeros from byte ${from} on: it could not be masked: ${error.message}`)
      await plain.write(Buffer.alloc(takenBytes - from))
    }
  }
  return {
    path: writer.path,
    hits: stream.hits,
    get writtenBytes() {
      return plain.writtenBytes
    },
    async write(chunk) {
      const reason = whyNot()
      if (reason) throw reason
      takenBytes += chunk.length
      await (broken ? plain.write(Buffer.alloc(chunk.length)) : send(stream.push(chunk)))
    },
    segment: () => Promise.reject(new Error('no database has segments')),
    async flush() {
      if (!broken) await send(stream.end())
      if (broken) throw broken
    },
    end() {
      count(stream.hits)
      stream.discard()
      return plain.end()
    },
    discard() {
      stream.discard()
      plain.discard()
    },
  }
}

interface Trust {
  readonly count: (hits: Readonly<Record<string, number>>) => void
  readonly distrusted: () => string | undefined
}

function maskingPipe(writer: EntryWriter, redactor: BundleRedactor, { count, distrusted }: Trust): EntryPipe {
  const hits: Record<string, number> = {}
  /** Made when there is something to be masked, ended before what is spliced. */
  let stream: RedactionStream | undefined
  let writtenBytes = 0
  let fresh = true
  let broken = false
  const close = () => {
    Object.assign(hits, sumOf(hits, stream?.hits))
    stream?.discard()
    stream = undefined
  }
  const send = async (parts: AsyncIterable<Uint8Array>) => {
    try {
      const distrust = distrusted()
      if (distrust !== undefined) throw new RedactionError(distrust)
      for await (const part of parts) {
        await writer.write(asBuffer(part))
        writtenBytes += part.length
      }
    } catch (error) {
      if (!(error instanceof RedactionError)) throw error
      broken = true
      if (writtenBytes > 0) await writer.write(Buffer.from(`\n… diagd: withheld from here on: ${error.message} …\n`))
      throw new SourceError('withheld', `not handed over, for it could not be masked: ${error.message}`)
    }
  }
  const write = async (chunk: Buffer) => {
    if (broken) return
    const compression = fresh ? compressionOf(chunk) : undefined
    fresh = false
    if (compression !== undefined) {
      broken = true
      throw new SourceError('withheld', `it is compressed (${compression}) and cannot be looked into`)
    }
    stream ??= redactor.stream()
    await send(stream.push(chunk))
  }
  const flush = async () => {
    if (!broken && stream) await send(stream.end())
    close()
  }
  return {
    path: writer.path,
    get hits() {
      return sumOf(hits, stream?.hits)
    },
    get writtenBytes() {
      return writtenBytes
    },
    write,
    async segment(segment, isSpliced) {
      if (!isSpliced || !writer.splice) return write(await textOfSegment(segment))
      if (broken) return
      // Lines are whole on either side: no secret goes over the border but a key, which was masked on both.
      await flush()
      // Whether anything may be handed over at all.
      await send(nothing())
      fresh = false
      await writer.splice(segment)
      writtenBytes += segment.lengthBytes
    },
    flush,
    end() {
      close()
      count(hits)
      return writer.end()
    },
    discard() {
      close()
      writer.discard()
    },
  }
}

function sumOf(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>> = {}) {
  const sum = { ...one }
  for (const [rule, number] of Object.entries(other)) sum[rule] = (sum[rule] ?? 0) + number
  return sum
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
