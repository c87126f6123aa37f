/** What is drawn, told and remarked. Types only. */

/** Equal steps; a line has a value for each of them. */
export interface Grid {
  readonly sinceMs: number
  readonly stepMs: number
  readonly steps: number
}

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

type Values = readonly (number | null)[]

/** Of each step; null where nothing is known. */
export interface Line {
  readonly avg: Values
  readonly min: Values
  readonly max: Values
}

/** A mount, a disk, a container, …, with its lines by column. */
export interface Thing {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly line: (column: string) => Line | undefined
  /** Of a column that counts: when it counted something, and how much. */
  readonly counted: (column: string) => readonly { readonly timeMs: number; readonly count: number }[]
}

export type Subject = 'mount' | 'disk' | 'interface' | 'container' | 'process'

/** Time without numbers, and why. */
export interface Gap extends Span {
  /** Of the mark that tells why; `unknown` where none does. */
  readonly kind: string
  /** A few words: `suspended 3 h 12 min`. */
  readonly label: string
}

/** Something that happened at one time. */
export interface Happening {
  readonly timeMs: number
  readonly kind: 'boot' | 'clock' | 'error' | 'critical'
  /** What it is called in the picture: `OOM kill stress`. What is called the same is counted. */
  readonly label: string
  /** A sentence. */
  readonly message: string
}

/** What stood out. */
export interface Remark {
  /** The panel that shows it, if one does. */
  readonly panel?: PanelId
  readonly severity: 'bad' | 'odd'
  /** `Memory in use` */
  readonly what: string
  /** `99 % at 07:18, over 95 % for 6 min` */
  readonly said: string
  /** When. */
  readonly spans: readonly Span[]
}

export type PanelId =
  | 'cpu'
  | 'load'
  | 'memory'
  | 'pressure'
  | 'space'
  | 'disk-io'
  | 'disk-wait'
  | 'network'
  | 'container-memory'
  | 'container-cpu'

export interface Overview {
  readonly node: string
  readonly bootId: string
  /** What is shown: where measuring began later than what was asked for, from there. */
  readonly grid: Grid
  readonly host: Thing
  readonly things: (subject: Subject) => readonly Thing[]
  readonly gaps: readonly Gap[]
  readonly happenings: readonly Happening[]
  /** What is missing in the picture, a sentence each. */
  readonly notes: readonly string[]
}
