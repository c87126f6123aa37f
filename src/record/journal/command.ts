/**
 * The command lines of journalctl that a follower runs: one that reads what is there, and one that goes on. Not one for both,
 * for newer versions of `journalctl --follow` show nothing of the boots before.
 */
import { startChild } from '../../sources/children.ts'
import { FIELDS } from '../classify/classify.ts'
import { isSameEntry, parseCursor } from '../../sources/journal-cursor.ts'
import type { JournalPlace } from './files.ts'

/** Where to begin: at an entry and with it, at a time, or with the oldest there is. */
export type Beginning = { readonly cursor: string } | { readonly sinceMs: number } | 'oldest'

/** What is there. `--all` is not among them: what is longer than 4 KiB comes as null, and no event needs it. */
export function readArguments(place: JournalPlace, beginning: Beginning): string[] {
  return [...common(place, FIELDS), ...from(beginning)]
}

/** What comes, after what was there. */
export function followArguments(place: JournalPlace, beginning: Beginning): string[] {
  return ['--follow', '--no-tail', ...readArguments(place, beginning)]
}

export interface JournalCommand {
  readonly file: string
  /** The PATH of its environment. */
  readonly path: string
  readonly place: JournalPlace
  readonly signal: AbortSignal
}

/**
 * Where to go on when neither the entry of the cursor is there nor a later one: after the last one, if it was there
 * before, and in another journal than the cursor's with the oldest.
 */
export async function beginningWithout(cursor: string, command: JournalCommand): Promise<Beginning> {
  const last = await newestCursor(command)
  const [was, is] = [parseCursor(cursor), parseCursor(last ?? '')]
  if (last === undefined || was === undefined || is === undefined) return 'oldest'
  const known = isSameEntry(was, is) || (was.numbering === is.numbering && is.number <= was.number)
  return known ? { cursor: last } : 'oldest'
}

const CURSOR = /"__CURSOR"\s*:\s*"([^"]+)"/
/** A journal on a slow disk takes its time; one that hangs is no reason to hang. */
const LOOK_MS = 30_000

async function newestCursor({ file, path, place, signal }: JournalCommand): Promise<string | undefined> {
  signal.throwIfAborted()
  const child = await startChild(file, [...common(place, ['_BOOT_ID']), '--reverse', '--lines=1'], path)
  const stop = () => void child.signal('SIGKILL')
  const timer = setTimeout(stop, LOOK_MS)
  signal.addEventListener('abort', stop)
  let text = ''
  try {
    for await (const chunk of child.stdout) {
      text += (chunk as Buffer).toString('latin1')
      if (text.includes('\n')) break
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    await child.destroy()
  }
  signal.throwIfAborted()
  return CURSOR.exec(text)?.[1]
}

function common(place: JournalPlace, fields: readonly string[]): string[] {
  const where =
    'directory' in place ? [`--directory=${place.directory}`] : place.root === '' ? [] : [`--root=${place.root}`]
  return ['--no-pager', '--quiet', '--output=json', `--output-fields=${fields.join(',')}`, ...where]
}

function from(beginning: Beginning): string[] {
  if (beginning === 'oldest') return []
  if ('cursor' in beginning) return [`--cursor=${beginning.cursor}`]
  return [`--since=@${Math.floor(beginning.sinceMs / 1000)}`]
}
