/** The command lines of journalctl that a follower runs, and where to begin. */
import { startChild } from '../sources/children.ts'
import { FIELDS } from './classify.ts'
import { isSameEntry, parseCursor } from './journal-cursor.ts'
import type { JournalPlace } from './journal-files.ts'

/** Where to begin: at an entry and with it, at a time, or with the oldest there is. */
export type Beginning = { readonly cursor: string } | { readonly sinceMs: number } | 'oldest'

/** `--all` is not among them: what is longer than 4 KiB comes as null, and no event needs it. */
export function followArguments(place: JournalPlace, beginning: Beginning): string[] {
  return ['--follow', '--no-tail', ...common(place, FIELDS), ...from(beginning)]
}

export interface JournalCommand {
  readonly file: string
  /** The PATH of its environment. */
  readonly path: string
  readonly place: JournalPlace
  readonly signal: AbortSignal
}

/**
 * Where to go on after `cursor`. When that entry is gone, the one that comes next, as journalctl finds it; where none
 * does, the last that was there before, or, in another journal than the cursor's, the oldest.
 */
export async function beginningAfter(cursor: string, command: JournalCommand): Promise<Beginning> {
  const next = await firstCursor(command, [`--cursor=${cursor}`])
  if (next !== undefined) return { cursor: next }
  const last = await firstCursor(command, ['--reverse'])
  const [was, is] = [parseCursor(cursor), parseCursor(last ?? '')]
  if (last === undefined || was === undefined || is === undefined) return 'oldest'
  const known = isSameEntry(was, is) || (was.numbering === is.numbering && is.number <= was.number)
  return known ? { cursor: last } : 'oldest'
}

const CURSOR = /"__CURSOR"\s*:\s*"([^"]+)"/
/** A journal on a slow disk takes its time; one that hangs is no reason to hang. */
const LOOK_MS = 30_000

/** Of the first entry that journalctl prints; it is not let to print more than a little. */
async function firstCursor(command: JournalCommand, args: readonly string[]): Promise<string | undefined> {
  const { file, path, place, signal } = command
  signal.throwIfAborted()
  const child = await startChild(file, [...common(place, ['_BOOT_ID']), ...args], path)
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
