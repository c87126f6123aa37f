/** An artifact is a description with chainable modifiers; the engine reads the description. */
import type { Artifact, JournalQuery, Needs, Outcome, Tier } from '../collector.ts'
import type { OpenedPieces } from '../sources/masked-segment.ts'
import type { Opened } from '../sources/source.ts'
import type { RecordedContext } from './recorded.ts'

export type SourceSpec =
  | { kind: 'command'; argv: readonly string[] }
  | { kind: 'file'; path: string; within: readonly string[] }
  | { kind: 'files'; globs: readonly string[]; windowed: boolean }
  | { kind: 'journal'; query: JournalQuery }
  | { kind: 'engine'; socket: string; path: string }
  | { kind: 'engine-log'; socket: string; containerId: string; tty: boolean }
  | { kind: 'json'; make: () => unknown }
  | { kind: 'text'; make: () => string | Promise<string> | AsyncIterable<string> }
  /** A database of diagd's own: what is secret in it was masked when it was stored, and masking its bytes would break it. */
  | { kind: 'stored'; origin: string; open: (ctx: RecordedContext) => Promise<Opened> }
  /** What is kept of a container's log, with what an engine has of it besides. */
  | { kind: 'kept-log'; origin: string; open: (ctx: RecordedContext) => Promise<OpenedPieces> }
  | { kind: 'absent'; outcome: Outcome; reason: string; quiet?: true }

export class Description implements Artifact {
  readonly source: SourceSpec
  path: string | undefined
  tier: Tier | undefined
  needed: Needs | undefined
  okCodes: readonly number[] = [0]
  deadlineMs: number | undefined

  constructor(source: SourceSpec, path?: string) {
    this.source = source
    this.path = path
  }

  as(path: string): this {
    this.path = path
    return this
  }

  in(tier: Tier): this {
    this.tier = tier
    return this
  }

  needs(needs: Needs): this {
    this.needed = needs
    return this
  }

  accept(...exitCodes: readonly number[]): this {
    this.okCodes = [0, ...exitCodes]
    return this
  }

  timeoutMs(limit: number): this {
    this.deadlineMs = limit
    return this
  }
}

/** The entry's name where the collector gives none, readable and safe: the command's words, the file's base name. */
export function defaultPath(source: SourceSpec): string {
  if (source.kind === 'command') return `${source.argv.map(nameOfWord).join('_').slice(0, 120)}.txt`
  if (source.kind === 'file') return baseName(source.path)
  if (source.kind === 'journal') return `journal${source.query.boot ?? ''}.log`
  if (source.kind === 'engine') return `${source.path.split('?')[0]!.split('/').filter(Boolean).join('_')}.json`
  return source.kind
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Where an entry comes from, for the dry run and the manifest. */
export function originOf(source: SourceSpec): string {
  switch (source.kind) {
    case 'command':
      return source.argv.join(' ')
    case 'file':
      return source.path
    case 'files':
      return source.globs.join(' ')
    case 'journal':
      return ['journalctl', ...(source.query.unit ? ['-u', source.query.unit] : []), ...(source.query.args ?? [])].join(
        ' ',
      )
    case 'engine':
      return `unix:${source.socket} ${source.path}`
    case 'engine-log':
      return `unix:${source.socket} /containers/${source.containerId}/logs`
    case 'stored':
    case 'kept-log':
      return source.origin
    case 'absent':
      return source.reason
    default:
      return 'computed by diagd'
  }
}

function nameOfWord(word: string): string {
  return word.replaceAll(/[^\w.=@+-]+/g, '-').replaceAll(/^-+|-+$/g, '')
}
