/**
 * One entry, from description to manifest row. The one place that turns a thrown error into an outcome: whatever goes
 * wrong here costs this entry, and says so beside it.
 */
import type { Tier } from '../collector.ts'
import { EntryPathError } from '../archive/entry-path.ts'
import type { EntryWriter, WrittenFile } from '../archive/entry.ts'
import { textOfSegment, type MaskedSegment, type OpenedPieces } from '../sources/masked-segment.ts'
import { SourceError, type SourceEnd, type SourceLimits } from '../sources/source.ts'
import { errorText } from './error-text.ts'
import type { EntryPlan } from './expand.ts'
import { missing } from './needs.ts'
import { openSource } from './open.ts'
import { Patience } from './patience.ts'
import type { EntryPipe } from './redaction.ts'
import type { BundleRun } from './run.ts'
import { splicing } from './splice.ts'
import type { ManifestRow } from './types.ts'

export interface EntryJob {
  readonly collector: string
  readonly tier: Tier
  readonly plan: EntryPlan
}

/** After this much waiting for its source an entry holds neither its tier nor its place. */
export const LATE_MS = 5000

/** Writes the entry, or what explains its absence. Rejects only when the whole stream is gone. */
export async function writeEntry(job: EntryJob, run: BundleRun, onLate: () => void): Promise<void> {
  const { collector, tier, plan } = job
  const done = run.trace.span(collector, plan.path)
  // Names of files and arguments of commands may hold secrets as well as their contents.
  const [path = '', origin = ''] = (await run.redaction.text(`${collector}/${plan.path}\0${plan.origin}`)).split('\0')
  const row: ManifestRow = {
    path,
    collector,
    tier,
    outcome: 'ok',
    sizeBytes: 0,
    maskedCount: 0,
    origin,
    durationMs: 0,
  }
  const end = await gather(job, row, run, new Patience(LATE_MS, onLate))
  row.outcome = end.outcome
  if (end.detail !== undefined) row.detail = end.detail
  if (end.cutBytes !== undefined && end.cutBytes > 0) row.cutBytes = end.cutBytes
  row.durationMs = done({ outcome: end.outcome, bytes: row.sizeBytes })
  await addRow(row, run, end.quiet ? undefined : end)
}

/** Files a row; an entry that is not ok gets its `.error.txt`, unless it just is not there or was not asked for. */
export async function addRow(row: ManifestRow, run: BundleRun, end: SourceEnd | undefined): Promise<void> {
  if (row.detail !== undefined) row.detail = await run.redaction.text(row.detail)
  if (row.outcome !== 'ok' && end) {
    const text = await run.redaction.text(errorText(row, end.stderr))
    try {
      const [file] = await run.archive.add({ path: `${row.path}.error.txt`, mtimeMs: run.startedAtMs }, text)
      row.error = file!.path
    } catch (error) {
      // An entry whose very path is refused: the row in the manifest still tells.
      if (!(error instanceof EntryPathError)) throw error
    }
  }
  run.rows.push(row)
  run.onProgress({ type: 'entry', row })
}

async function gather(
  { collector, plan }: EntryJob,
  row: ManifestRow,
  run: BundleRun,
  patience: Patience,
): Promise<SourceEnd & { quiet?: boolean }> {
  const absent = missing(plan.description.needed, run.source)
  if (absent !== undefined) return { outcome: 'skipped', detail: absent }
  try {
    for (;;) {
      const room = run.budget.room(collector)
      if (room.bytes <= 0) return { outcome: 'partial', detail: `left out: the limit of ${room.limit} is used up` }
      const ctx = { ...run.source, limits: limitsOf(run, room.bytes) }
      const opened = await patience.wait(() => openSource(plan.source, plan.description, ctx))
      const left = run.budget.room(collector).bytes
      const isStored = plan.source.kind === 'stored'
      if ((opened.sizeBytes ?? 0) <= left) return await write(opened, row, run, { patience, isStored })
      await opened.chunks.return({ outcome: 'partial' })
      if (left === room.bytes)
        return { outcome: 'partial', detail: `left out: ${left} bytes are left of ${room.limit}` }
      // While it was opened its neighbours used up what it was promised: it is asked for less.
    }
  } catch (error) {
    return asEnd(error, run)
  }
}

function limitsOf(run: BundleRun, entryBytes: number): SourceLimits {
  const { commandMs, stallMs } = run.request.limits
  return { entryBytes, headBytes: HEAD_BYTES, commandMs, stallMs }
}

/** What a log over its limit keeps of its beginning. */
const HEAD_BYTES = 64 * 1024

async function write(
  opened: OpenedPieces,
  row: ManifestRow,
  run: BundleRun,
  { patience, isStored }: { patience: Patience; isStored: boolean },
): Promise<SourceEnd> {
  const mtimeMs = opened.mtimeMs ?? Date.now()
  if (opened.mtimeMs !== undefined) row.mtime = new Date(opened.mtimeMs).toISOString()
  let writer: EntryPipe
  try {
    const { redaction } = run
    const file = openWriter(opened, { path: row.path, mtimeMs }, run, redaction.masks && !isStored)
    writer = isStored ? redaction.stored(file) : redaction.pipe(file)
  } catch (error) {
    await opened.chunks.return({ outcome: 'failed' })
    throw error
  }
  row.path = writer.path
  // At once: its neighbours are asking what is left.
  if (opened.sizeBytes !== undefined) run.budget.take(row.collector, opened.sizeBytes)
  row.origin = await run.redaction.text(opened.origin)
  try {
    const end = await pump(opened, writer, row, run, patience)
    countMasks(writer, row)
    if (writer.writtenBytes === 0 && end.outcome !== 'ok') {
      writer.discard()
      row.sizeBytes = 0
    } else await finish(writer, row)
    return end
  } catch (error) {
    writer.discard()
    throw error
  }
}

/** Below this a file is gathered whole before it is written: then its length is what was read, whatever was announced. */
const SMALL_BYTES = 256 * 1024

function openWriter(
  opened: OpenedPieces,
  meta: { path: string; mtimeMs: number },
  run: BundleRun,
  isMasked: boolean,
): EntryWriter {
  const { sizeBytes } = opened
  // How long it will be when it is masked, nobody knows.
  if (sizeBytes === undefined || sizeBytes <= SMALL_BYTES || isMasked) return run.archive.file(meta)
  return run.archive.sizedFile({ ...meta, sizeBytes })
}

async function pump(
  opened: OpenedPieces,
  writer: EntryPipe,
  row: ManifestRow,
  run: BundleRun,
  patience: Patience,
): Promise<SourceEnd> {
  const { chunks, sizeBytes } = opened
  try {
    for (;;) {
      const step = await patience.wait(() => chunks.next())
      const end = step.done
        ? await ended(step.value, sizeBytes, writer, row)
        : Buffer.isBuffer(step.value)
          ? await put(step.value, sizeBytes !== undefined, writer, row, run)
          : await putSegment(step.value, writer, row, run)
      if (!end) continue
      await writer.flush()
      return end
    }
  } catch (error) {
    return await brokenOff(asEnd(error, run), sizeBytes, writer, row)
  } finally {
    await chunks.return({ outcome: 'partial' })
  }
}

/** What was already read stays; the entry is whole up to here, but for what must not be handed over. */
async function brokenOff(
  end: SourceEnd,
  sizeBytes: number | undefined,
  writer: EntryPipe,
  row: ManifestRow,
): Promise<SourceEnd> {
  if (row.sizeBytes === 0 || end.outcome === 'withheld') return end
  const outcome = end.outcome === 'timeout' ? 'timeout' : 'partial'
  try {
    const said = await ended({ ...end, outcome }, sizeBytes, writer, row)
    await writer.flush()
    return said
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return { outcome: error.outcome, detail: error.message }
  }
}

/** Writes a chunk as far as the limits allow; the end of the entry when they do not. */
async function put(
  chunk: Buffer,
  sized: boolean,
  writer: EntryPipe,
  row: ManifestRow,
  run: BundleRun,
): Promise<SourceEnd | undefined> {
  const room = sized ? { bytes: Infinity, limit: '' } : run.budget.room(row.collector, row.sizeBytes)
  const allowed = chunk.subarray(0, Math.max(0, Math.min(chunk.length, room.bytes)))
  if (!sized) run.budget.take(row.collector, allowed.length)
  await writer.write(allowed)
  row.sizeBytes += allowed.length
  run.onProgress({ type: 'bytes', collector: row.collector, bytes: allowed.length })
  if (allowed.length === chunk.length) return undefined
  const detail = `cut here: the limit of ${room.limit} is reached`
  await mark(writer, row, detail)
  return { outcome: 'partial', detail }
}

/** As a whole, or as far as the limits allow. */
async function putSegment(
  segment: MaskedSegment,
  writer: EntryPipe,
  row: ManifestRow,
  run: BundleRun,
): Promise<SourceEnd | undefined> {
  const { lengthBytes } = segment
  if (run.budget.room(row.collector, row.sizeBytes).bytes < lengthBytes)
    return put(await textOfSegment(segment), false, writer, row, run)
  run.budget.take(row.collector, lengthBytes)
  const isSpliced = await splicing(run)
  await writer.segment(segment, isSpliced(segment))
  row.sizeBytes += lengthBytes
  run.onProgress({ type: 'bytes', collector: row.collector, bytes: lengthBytes })
  return undefined
}

/** A sized entry is filled up to what its header announced; one that breaks off says so where it does. */
async function ended(
  end: SourceEnd,
  sizeBytes: number | undefined,
  writer: EntryPipe,
  row: ManifestRow,
): Promise<SourceEnd> {
  if (sizeBytes !== undefined && row.sizeBytes < sizeBytes) await fill(sizeBytes - row.sizeBytes, writer, row)
  else if ((end.outcome === 'timeout' || end.endsEarly) && row.sizeBytes > 0)
    await mark(writer, row, `cut here: ${end.detail}`)
  return end
}

async function mark(writer: EntryPipe, row: ManifestRow, text: string): Promise<void> {
  const marker = Buffer.from(`\n… diagd: ${text} …\n`)
  await writer.write(marker)
  row.sizeBytes += marker.length
}

async function fill(bytes: number, writer: EntryPipe, row: ManifestRow): Promise<void> {
  const zeros = Buffer.alloc(Math.min(bytes, SMALL_BYTES))
  for (let left = bytes; left > 0; left -= zeros.length)
    await writer.write(zeros.subarray(0, Math.min(left, zeros.length)))
  row.sizeBytes += bytes
}

function countMasks(writer: EntryPipe, row: ManifestRow): void {
  row.maskedCount = Object.values(writer.hits).reduce((sum, count) => sum + count, 0)
  if (row.maskedCount > 0) row.masked = { ...writer.hits }
}

async function finish(writer: EntryPipe, row: ManifestRow): Promise<void> {
  const files: WrittenFile[] = await writer.end()
  row.sizeBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const { sha256, crc32, segments } = files[0]!
  Object.assign(row, sha256 !== undefined && { sha256 }, segments && { crc32, segments })
  if (files.length > 1) row.parts = files
}

/** The outcome that an error stands for. Rethrows what concerns the whole bundle. */
function asEnd(error: unknown, run: BundleRun): SourceEnd & { quiet?: boolean } {
  run.source.signal.throwIfAborted()
  if (error instanceof SourceError) {
    return {
      outcome: error.outcome,
      detail: error.message,
      ...(error.stderr === undefined ? {} : { stderr: error.stderr }),
      quiet: error.quiet,
    }
  }
  return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) }
}
