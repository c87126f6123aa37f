/**
 * Tells a whole bundle from a cut or damaged one, offline, in one pass and bounded memory: the stream has its end,
 * every file has the length and the digests that manifest.json and SHA256SUMS say, nothing is missing or besides.
 */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { Format } from '../collect/types.ts'
import { bordersIn } from './borders.ts'
import { decode, detectFormat } from './decode.ts'
import type { StreamEnd } from './decode.ts'
import { decrypt, isEncrypted } from './decrypt.ts'
import { FileDigest, type SeenFile } from './digest.ts'
import { checkContents } from './verify-contents.ts'

/** `cut`: it stops before its end, what arrived is good. `damaged`: something in it is not as it was written. */
interface Finding {
  readonly kind: 'cut' | 'damaged'
  /** A sentence. */
  readonly message: string
}

export interface VerifyReport {
  /** No findings: this is the bundle that was sent, all of it. */
  readonly whole: boolean
  readonly format: Format | undefined
  readonly encrypted: boolean
  readonly bundleId: string | undefined
  /** What the bundle says of itself: `partial` when some source could not be read in full. */
  readonly outcome: string | undefined
  readonly findings: readonly Finding[]
  /** Findings beyond those listed. */
  readonly moreFindings: number
  readonly bytesIn: number
  /** Whole files. */
  readonly files: number
  /** Path of the last file that arrived whole. */
  readonly lastWhole: string | undefined
}

/** What the walk remembers of a bundle. */
export interface Contents {
  topFolder: string | undefined
  /** In order, by path below the top folder. */
  readonly files: Map<string, SeenFile>
  /** The text of the files that describe the others. */
  readonly documents: Map<string, string>
  readonly findings: Findings
}

/** More does not help anybody, and a hostile file could name millions. */
const MAX_FINDINGS = 100
/** 16 times what an engine writes at its limits; each costs some 200 bytes of memory here. */
const MAX_FILES = 500_000
/** A manifest of all those would be smaller. */
const MAX_DOCUMENT_BYTES = 128 * 1024 * 1024
const DOCUMENTS = new Set(['index.json', 'manifest.json', 'SHA256SUMS'])

class Findings {
  readonly list: Finding[] = []
  more = 0
  readonly #complained = new Set<string>()

  /** What is wrong with a file; the first complaint about it is enough. */
  addFile(path: string, what: string): void {
    if (this.#complained.has(path)) return
    this.#complained.add(path)
    this.add('damaged', `${path} ${what}`)
  }

  add(kind: Finding['kind'], message: string): void {
    if (this.list.length < MAX_FINDINGS) this.list.push({ kind, message })
    else this.more += 1
  }
}

/**
 * @param identities secret keys of age that open an encrypted bundle.
 * @throws the error of the input, when it cannot be read, and an Error when it is encrypted and they do not open it.
 */
export async function verifyBundle(input: Readable, identities: readonly string[] = []): Promise<VerifyReport> {
  const sent = counted(input)
  const encrypted = isEncrypted(await sent.peek(512))
  if (encrypted && identities.length === 0) throw new Error(LOCKED)
  const findings = new Findings()
  const source = encrypted ? counted(opened(sent.chunks(), identities, findings)) : sent
  const contents: Contents = { topFolder: undefined, files: new Map(), documents: new Map(), findings }
  const start = await source.peek(512)
  const format = detectFormat(start)
  let outcome: string | undefined
  if (start.length === 0) findings.add('cut', 'it is empty')
  else if (!format) findings.add('damaged', 'it is neither gzip nor zstd nor tar')
  else outcome = await examine(format, source.chunks(), contents)
  const error = sent.error ?? source.error
  if (error) throw error
  return {
    whole: findings.list.length === 0,
    format,
    encrypted,
    bundleId: contents.topFolder,
    outcome,
    findings: findings.list,
    moreFindings: findings.more,
    bytesIn: sent.bytes,
    files: contents.files.size,
    lastWhole: [...contents.files.keys()].at(-1),
  }
}

const LOCKED =
  'it is encrypted, and nothing is known of what is inside; with a key that opens it: ' +
  'diagd verify --identity KEYFILE FILE, or age -d -i KEYFILE FILE | diagd verify -'

async function* opened(
  sent: AsyncIterable<Buffer>,
  identities: readonly string[],
  findings: Findings,
): AsyncGenerator<Buffer, void, void> {
  const { cut, damaged } = yield* decrypt(sent, identities)
  if (damaged) findings.add('damaged', damaged)
  if (cut) findings.add('cut', cut)
}

async function examine(format: Format, input: AsyncIterable<Buffer>, contents: Contents): Promise<string | undefined> {
  const { findings } = contents
  const end = await walk(format, input, contents)
  if (end.damaged) findings.add('damaged', end.damaged)
  if (end.cut) findings.add('cut', end.cut)
  // What is missing after a cut is not worth a line each.
  return checkContents(contents, end.cut !== undefined || end.damaged !== undefined)
}

/** Reads every file once. The end of the compressed stream counts before what tar makes of it. */
async function walk(format: Format, input: AsyncIterable<Buffer>, contents: Contents): Promise<StreamEnd> {
  const extract = tar.extract()
  let end: StreamEnd = {}
  const decoding = pipeline(async function* () {
    end = yield* decode(format, input)
  }, extract).catch(() => {})
  let broken: string | undefined
  try {
    for await (const entry of extract) await readEntry(entry, contents)
  } catch (error) {
    broken = (error as Error).message
    extract.destroy()
  }
  await decoding
  if (!broken || end.cut || end.damaged) return end
  return broken === 'Unexpected end of data'
    ? { cut: 'the tar archive stops inside an entry' }
    : { damaged: `the tar archive cannot be read on (${broken})` }
}

type Entry = tar.Extract extends AsyncIterable<infer E> ? E : never

async function readEntry(entry: Entry, contents: Contents): Promise<void> {
  const { name, type, size, pax } = entry.header
  const path = placeOf(name, contents)
  if (type === 'directory') return void entry.resume()
  if (type !== 'file' && type !== 'contiguous-file')
    contents.findings.add('damaged', `${name} is a ${type}, not a file`)
  const digest = new FileDigest(bordersIn((pax as Record<string, string> | null)?.['comment']))
  const kept: Buffer[] | undefined = DOCUMENTS.has(path) && size <= MAX_DOCUMENT_BYTES ? [] : undefined
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    digest.update(chunk)
    kept?.push(Buffer.from(chunk))
  }
  if (contents.files.has(path)) contents.findings.add('damaged', `${path} is there twice`)
  if (contents.files.size >= MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`)
  contents.files.set(path, digest.end())
  if (kept) contents.documents.set(path, Buffer.concat(kept).toString('utf8'))
}

/** The path below the top folder; every entry has to be under the same one. */
function placeOf(name: string, contents: Contents): string {
  const [top = '', ...rest] = name.replace(/\/$/, '').split('/')
  contents.topFolder ??= top
  const confined = top !== '' && ![top, ...rest].some((part) => part === '..' || part === '.')
  if (!confined || top !== contents.topFolder) {
    contents.findings.add('damaged', `${name} is outside of the top folder ${contents.topFolder}`)
  }
  return rest.join('/')
}

/** The input with its bytes counted, its beginning looked at, and its error kept apart from what is wrong in it. */
function counted(input: AsyncIterable<Buffer>) {
  const iterator = input[Symbol.asyncIterator]()
  const state = { bytes: 0, error: undefined as Error | undefined, peek, chunks }
  let first = Buffer.alloc(0)
  async function next(): Promise<Buffer | undefined> {
    try {
      const result = await iterator.next()
      if (result.done) return undefined
      state.bytes += result.value.length
      return result.value
    } catch (error) {
      state.error = error as Error
      return undefined
    }
  }
  async function peek(length: number): Promise<Buffer> {
    while (first.length < length) {
      const chunk = await next()
      if (!chunk) break
      first = Buffer.concat([first, chunk])
    }
    return first
  }
  async function* chunks(): AsyncGenerator<Buffer, void, void> {
    if (first.length > 0) yield first
    for (let chunk = await next(); chunk; chunk = await next()) yield chunk
  }
  return state
}
