/** What a database has to tell of itself, to be kept as events. */
import type { Label } from './book.ts'
import type { SetAside } from './protocol.ts'

export interface Notice {
  readonly timeMs: number
  readonly monotonicMs: number
  readonly type: string
  readonly level: 'warning' | 'error' | 'critical'
  /** The database. */
  readonly subject: string
  readonly message: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** While nothing was taken. */
export interface Pause {
  readonly sinceMs: number
  readonly reason: string
  /** What came meanwhile. */
  readonly refused: number
}

export function resumedNotice({ fileName, words }: Label, { sinceMs, reason, refused }: Pause): Notice {
  const from = new Date(sinceMs).toISOString()
  const to = new Date().toISOString()
  const { kept, units } = words
  return {
    ...now(),
    type: 'diagd.recorder.resumed',
    level: 'warning',
    subject: fileName,
    message: `${kept} were not recorded from ${from} to ${to}: ${reason}. ${capital(units)} refused meanwhile: ${refused}`,
    detail: { from, to, reason, [`refused${capital(units)}`]: refused },
  }
}

export function setAsideNotice(label: Label, aside: SetAside): Notice {
  const { path, why } = aside
  return {
    ...now(),
    type: `diagd.recorder.${why}`,
    level: why === 'damaged' ? 'critical' : 'error',
    subject: label.fileName,
    message: setAsideText(label, aside),
    detail: { path, why },
  }
}

export function setAsideText({ words }: Label, { path, why, message }: SetAside): string {
  if (why === 'removed') return `${words.database} (${path}): ${message}`
  return `${words.database} was set aside as ${path}, and a new one was begun: ${message}`
}

function now(): { timeMs: number; monotonicMs: number } {
  return { timeMs: Date.now(), monotonicMs: Number(process.hrtime.bigint()) / 1e6 }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
