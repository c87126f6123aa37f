/** The logs of cloud-init as sources of lines: files that grow, with the rotated ones before them. */
import { setTimeout as delay } from 'node:timers/promises'
import { expandGlobs } from '../glob.ts'
import { DangerousMountError } from '../mounts.ts'
import { openingError } from '../refusal.ts'
import { openRegular, type RegularFile } from '../regular.ts'
import { SourceError } from '../source.ts'
import { holdsLine, linesIn, scan, type FileLine } from './cloud-init-lines.ts'
import {
  asContext,
  CONTEXT_LINES,
  inBatches,
  type LogBatches,
  type LogContext,
  type LogSource,
  type LogSpan,
  type RawLine,
} from './line.ts'

const FOLDER = '/var/log'
const FILES = [
  { key: 'l', name: 'cloud-init.log' },
  { key: 'o', name: 'cloud-init-output.log' },
] as const

export const CLOUD_INIT_KEYS: readonly string[] = FILES.map(({ key }) => key)

export function cloudInitSources(): LogSource[] {
  return FILES.map(({ key, name }) => {
    const path = `${FOLDER}/${name}`
    return {
      key,
      kind: 'cloud-init',
      name: path,
      read: (span, ctx) => (span.direction === 'forward' ? forward(path, span, ctx) : backward(path, span, ctx)),
      follow: (from, ctx) => follow(path, from, ctx),
    }
  })
}

/** Of one file, the newest: no boot writes as much. */
const MOST_BYTES = 32 * 1024 * 1024

async function* forward(
  path: string,
  { sinceUs, untilUs, after }: Omit<LogSpan, 'direction'>,
  ctx: LogContext,
): LogBatches {
  const { files, problem } = await openFiles(path, ctx)
  const place = placeOf(after)
  const known = await indexOf(place, files)
  // Where the file of the place is gone, its time is all that is known.
  const fromUs = known === -1 ? Math.max(sinceUs, place ? place.timeUs + 1 : 0) : -Infinity
  let before: RawLine[] = []
  /** The last part that holds nothing of it. */
  let passed: (() => Promise<FileLine[]>) | undefined
  const contextOf = async () => ((await passed?.()) ?? []).map(({ raw }) => asContext(raw))
  try {
    for (const [index, file] of files.entries()) {
      if (index < known) continue
      const behind = index === known ? place!.offset : -1
      for (const part of await scan(file, MOST_BYTES)) {
        if (part.to <= behind || part.lastUs < fromUs) {
          passed = () => linesIn(file, part)
          continue
        }
        before.push(...(await contextOf()))
        passed = undefined
        const lines = await linesIn(file, part)
        const isNew = ({ timeUs, offset }: (typeof lines)[number]) => timeUs >= fromUs && offset > behind
        const wanted = lines.filter((line) => isNew(line) && line.timeUs <= untilUs)
        before.push(...lines.filter((line) => !isNew(line)).map(({ raw }) => asContext(raw)))
        if (wanted.length === 0) continue
        yield* inBatches([...before.slice(-CONTEXT_LINES), ...wanted.map(({ raw }) => raw)])
        before = []
      }
    }
    // Where the log ends: what comes later is known by it.
    before.push(...(await contextOf()))
    if (before.length > 0) yield before.slice(-CONTEXT_LINES)
    return problem
  } finally {
    for (const file of files) await file.close()
  }
}

async function* backward(path: string, span: LogSpan, ctx: LogContext): LogBatches {
  const { files, problem } = await openFiles(path, ctx)
  const place = placeOf(span.after)
  const known = await indexOf(place, files)
  const untilUs = known === -1 ? Math.min(span.untilUs, place ? place.timeUs - 1 : Infinity) : Infinity
  let older = 0
  try {
    for (const [index, file] of [...files.entries()].toReversed()) {
      if (known !== -1 && index > known) continue
      const end = index === known ? place!.offset : Infinity
      for (const part of (await scan(file, MOST_BYTES)).toReversed()) {
        if (part.from >= end) continue
        const lines = (await linesIn(file, part)).filter(({ offset, timeUs }) => offset < end && timeUs <= untilUs)
        const marked = lines.map(({ raw }) => (raw.timeUs < span.sinceUs ? asContext(raw) : raw))
        older += marked.filter(({ context }) => context).length
        if (marked.length > 0) yield marked
        if (older >= CONTEXT_LINES) return problem
      }
    }
    return problem
  } finally {
    for (const file of files) await file.close()
  }
}

/** A look is a stat. */
const EVERY_MS = 1000

async function* follow(path: string, from: Pick<LogSpan, 'sinceUs' | 'after'>, ctx: LogContext): LogBatches {
  let { after, sinceUs } = from
  let seen = ''
  for (;;) {
    const now = await stateOf(path, ctx)
    // All of a file that was not there before is new.
    if (now === '') sinceUs = 0
    else if (now !== seen) {
      for await (const batch of forward(path, { sinceUs, after, untilUs: Infinity }, ctx)) {
        after = batch.at(-1)!.place
        yield batch
      }
    }
    seen = now
    await delay(EVERY_MS, undefined, { signal: ctx.signal })
  }
}

async function stateOf(path: string, ctx: LogContext): Promise<string> {
  const file = await opened(path, ctx).catch(() => undefined)
  if (!file) return ''
  await file.close()
  return `${file.inode} ${file.sizeBytes}`
}

/** The file and what it was called before: the oldest first. */
async function openFiles(
  path: string,
  ctx: LogContext,
): Promise<{ files: RegularFile[]; problem: string | undefined }> {
  const { matches } = await expandGlobs([`${path}*`], ctx)
  const paths = matches.map((match) => match.path)
  const plain = paths.filter((one) => one === path || /^[.-]\d{1,8}$/.test(one.slice(path.length)))
  const packed = paths.filter((one) => /^[.-]\d{1,8}\.(?:gz|xz|zst|bz2)$/.test(one.slice(path.length)))
  if (plain.length === 0) throw new SourceError('skipped', `${path} does not exist`, { quiet: true })
  const files: RegularFile[] = []
  const problems = packed.length > 0 ? [`compressed, and so only in a bundle: ${packed.join(', ')}`] : []
  for (const one of plain) {
    try {
      const file = await opened(one, ctx)
      files.push(file)
      if (file.sizeBytes > MOST_BYTES) problems.push(`of ${one} the newest ${MOST_BYTES} bytes are looked at`)
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  if (files.length === 0) throw new SourceError('skipped', problems.join('; '))
  // Who has the old one open may write to it when there is a new one already.
  files.sort((a, b) => Number(a.path === path) - Number(b.path === path) || a.mtimeMs - b.mtimeMs)
  return { files, problem: problems.length > 0 ? problems.join('; ') : undefined }
}

async function opened(path: string, ctx: LogContext): Promise<RegularFile> {
  try {
    return await openRegular(ctx, { path, root: FOLDER, within: [] }, ctx.limits.stallMs)
  } catch (error) {
    if (error instanceof DangerousMountError) {
      throw new SourceError('skipped', `${path} is on a ${error.mount.type} mount, which may hang`, { cause: error })
    }
    throw await openingError(ctx, path, error, true)
  }
}

/** Which of the files holds the line; -1 for none, or no place. */
async function indexOf(place: Place | undefined, files: readonly RegularFile[]): Promise<number> {
  if (!place) return -1
  for (const [index, file] of files.entries()) if (await holdsLine(file, place)) return index
  return -1
}

type Place = Parameters<typeof holdsLine>[1]

function placeOf(text: string | undefined): Place | undefined {
  const parts = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})$/.exec(text ?? '')?.slice(1)
  if (!parts) return undefined
  const [inode, offset, timeUs] = parts.map((part) => Number.parseInt(part, 36))
  return { inode: inode!, offset: offset!, timeUs: timeUs! }
}
