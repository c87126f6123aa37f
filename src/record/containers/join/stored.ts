/** What is stored of a log within the window, in its order: looked through once for its length, then read. */
import { patiently } from '../../../sources/patience.ts'
import { textOfSegment, type MaskedSegment } from '../../../sources/masked-segment.ts'
import zlib from 'node:zlib'
import type { UnixHttpContext } from '../../../sources/unix-http.ts'
import type { KeptContainer, KeptContainers, LogPiece, LogPlace } from '../container.ts'
import { firstStored } from './first-stored.ts'
import { cutToSpans, said, type Span } from './stamps.ts'

export interface StoredLog {
  readonly kept: Pick<KeptContainers, 'log'>
  readonly container: KeptContainer
  readonly spans: readonly Span[]
}

export interface Measured {
  /** Of those that reach into the window, whole. */
  readonly segments: readonly { readonly number: number; readonly lengthBytes: number }[]
  /** Of what is in no segment. */
  readonly textBytes: number
  /** The first lines; none when nothing is stored within the window. */
  readonly first: readonly string[]
  readonly place: LogPlace | undefined
}

/** Nothing is kept of it in memory but the first lines. */
export async function measure(log: StoredLog, ctx: UnixHttpContext): Promise<Measured> {
  const segments: { number: number; lengthBytes: number }[] = []
  let first: readonly string[] = []
  let textBytes = 0
  let place: LogPlace | undefined
  for await (const piece of piecesOf(log, ctx)) {
    if ('segment' in piece) {
      const { number, lengthBytes } = piece.segment
      segments.push({ number, lengthBytes })
    } else {
      textBytes += piece.text.length
      place = piece.place
    }
    if (first.length === 0) first = firstStored(await readable(piece))
  }
  return { segments, textBytes, first, place }
}

async function readable(piece: LogPiece): Promise<Buffer> {
  if (!('segment' in piece)) return piece.text
  return textOfSegment(piece.segment).catch(() => Buffer.alloc(0))
}

/** As one moment left it; a disk that does not answer costs the entry, not the bundle. */
export async function* piecesOf(
  { kept, container, spans }: StoredLog,
  { limits, signal }: UnixHttpContext,
): AsyncGenerator<LogPiece, void, void> {
  const [from, to] = [spans[0], spans.at(-1)]
  if (!from || !to) return
  const pieces = kept.log(container, { since: from.since, until: to.until })
  const patience = { ms: limits.stallMs, signal }
  try {
    for (;;) {
      const step = await patiently(pieces.next(), container.folder, patience)
      if (step.done) return
      const piece = step.value
      if (!('segment' in piece) || reaches(piece.segment, spans)) yield piece
    }
  } finally {
    // Not awaited: it may be what hangs.
    pieces.return().catch(() => {})
  }
}

function reaches({ first, last }: { first: string; last: string }, spans: readonly Span[]): boolean {
  return spans.some(({ since, until }) => last >= since && first <= until)
}

type KeptSegment = Extract<LogPiece, { segment: unknown }>['segment']

/** As it is when all of it is wanted, else its lines; `damaged`: instead of it a line says so. */
export async function segmentWithin(
  segment: KeptSegment,
  spans: readonly Span[],
): Promise<{ piece: MaskedSegment | Buffer; damaged?: true }> {
  const { number, first, last, lines } = segment
  const damaged = {
    piece: said(`${lines} lines cannot be read (segment ${number} is damaged)`),
    damaged: true,
  } as const
  // Spliced as it is it would break all of the archive behind it.
  if (zlib.crc32(segment.bytes) !== segment.deflatedCrc32) return damaged
  if (spans.some(({ since, until }) => first >= since && last <= until)) return { piece: segment }
  try {
    return { piece: cutToSpans(await textOfSegment(segment), spans).text }
  } catch {
    return damaged
  }
}
