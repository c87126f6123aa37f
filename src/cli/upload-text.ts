/** What `diagd upload` says of uploads. */
import { formatBytes, forTerminal } from '../terminal.ts'
import { countedTries, nextTryText } from '../upload/words.ts'

/** As GET /uploads has it. */
export interface ShownUpload {
  readonly id: number
  readonly state: 'waiting' | 'running' | 'uploaded' | 'gave-up' | 'dropped'
  readonly trigger: string
  readonly reason: string
  readonly created: string
  readonly tries: number
  readonly nextTry?: string
  readonly lastError?: { readonly kind: string; readonly message: string; readonly permanent: boolean }
  readonly key?: string
  readonly sizeBytes?: number
  readonly verified?: boolean
  readonly outcome?: 'whole' | 'partial'
}

/** A sentence without its end. */
export function progressOf({ id, state, tries, nextTry, lastError, reason }: ShownUpload): string {
  const failed = lastError && `${lastError.kind}: ${lastError.message}`
  if (state === 'gave-up') return `upload ${id} is given up after ${countedTries(tries)}${failed ? `: ${failed}` : ''}`
  if (state === 'dropped') return `upload ${id} is dropped: ${failed ?? reason}`
  if (state === 'running') return `upload ${id} is being sent${tries > 1 ? `, try ${tries}` : ''}`
  if (failed) return `upload ${id} failed, ${failed}; ${nextTryText(nextTry, lastError)}`
  return `upload ${id} waits${nextTry === undefined ? '' : `, until ${nextTry} at least`}`
}

export function arrived({ id, key, sizeBytes = 0, verified, outcome }: ShownUpload): string {
  const partial = 'partial: its manifest.json names what is withheld or missing'
  const how = [formatBytes(sizeBytes), ...(verified ? ['verified'] : []), ...(outcome === 'partial' ? [partial] : [])]
  return forTerminal(`upload ${id} is there: ${key ?? 'where the control plane said'} (${how.join(', ')})`)
}

export function tableOf(uploads: readonly ShownUpload[]): string[] {
  const head = ['ID', 'CREATED', 'TRIGGER', 'STATE', 'WHAT']
  const rows = uploads.map((one) => [String(one.id), one.created, one.trigger, one.state, whatOf(one)].map(forTerminal))
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)))
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

function whatOf(upload: ShownUpload): string {
  const { state, lastError, nextTry, reason, key, sizeBytes } = upload
  if (state === 'uploaded') return `${key ?? ''} (${formatBytes(sizeBytes ?? 0)}); ${reason}`
  if (lastError) return `${lastError.kind}, ${nextTry === undefined ? reason : `again at ${nextTry}; ${reason}`}`
  return reason
}
