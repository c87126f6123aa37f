/** What happened, named above the panels, with a line through all of them. No I/O. */
import { fitted } from '../boot-timeline/fitted.ts'
import { escaped, text } from '../boot-timeline/svg-text.ts'
import { LEFT_PX, WIDTH_PX } from './svg-style.ts'
import type { Gap, Happening } from './types.ts'
import { clock } from './units.ts'
import type { Scale } from './svg-scale.ts'

export const ROW_PX = 15
const MOST_ROWS = 4
/** Of the same kind and name, closer to each other than this: one name for all of them. */
const NEAR_PX = 90
/** More names than these hide what they are to explain. */
const MOST_MARKS = 60
const LABEL_CHARS = 34
const CHAR_PX = 6.3
const WORDS_MOST = 12

type Kind = Happening['kind'] | 'gap'

/** Happenings that are close to each other and called the same. */
interface Mark {
  readonly kind: Kind
  readonly label: string
  readonly timesMs: readonly number[]
  readonly messages: readonly string[]
  /** Of a gap: where it ends. */
  readonly toMs?: number
}

export interface Lane {
  readonly rows: number
  /** Marks whose names had no room, or that are not drawn. */
  readonly unnamed: number
  /** Labels from `top` on, and the lines through the panels to `bottom`. */
  readonly draw: (top: number, bottom: number) => string
}

/** Graver ones get their place first. */
const ORDER: readonly Kind[] = ['critical', 'boot', 'gap', 'clock', 'error']

export function laneOf(happenings: readonly Happening[], gaps: readonly Gap[], scale: Scale): Lane {
  const marks = [
    ...gathered(happenings, scale),
    ...gaps.filter(({ kind }) => kind !== 'boot').map((gap) => gapMark(gap)),
  ].toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || b.messages.length - a.messages.length)
  const placed = place(marks.slice(0, MOST_MARKS), scale)
  const rows = placed.reduce((most, { row }) => Math.max(most, (row ?? -1) + 1), 0)
  const unnamed = marks.length - placed.filter(({ row }) => row !== undefined).length
  const draw = (top: number, bottom: number) =>
    [
      ...placed.map((one) => linesOf(one, scale, { top, panels: top + rows * ROW_PX + 16, bottom })),
      ...placed.map((one) => nameIn(one, top)),
    ].join('\n')
  return { rows, unnamed, draw }
}

const gapMark = ({ fromMs, toMs, label }: Gap): Mark => ({
  kind: 'gap',
  label,
  timesMs: [fromMs],
  messages: [label],
  toMs,
})

function gathered(happenings: readonly Happening[], { x }: Scale): Mark[] {
  const marks: Mark[] = []
  for (const { kind, timeMs, label, message } of happenings.toSorted((a, b) => a.timeMs - b.timeMs)) {
    const near = marks.findLastIndex((mark) => mark.kind === kind && mark.label === label)
    const last = marks[near]
    if (last && x(timeMs) - x(last.timesMs.at(-1)!) <= NEAR_PX)
      marks[near] = { ...last, timesMs: [...last.timesMs, timeMs], messages: [...last.messages, message] }
    else marks.push({ kind, label, timesMs: [timeMs], messages: [message] })
  }
  return marks
}

interface Placed {
  readonly mark: Mark
  /** undefined: there was no room for its name. */
  readonly row: number | undefined
  /** Where the name begins. */
  readonly from: number
}

/** What is taken of a row. */
interface Taken {
  readonly row: number
  readonly from: number
  readonly to: number
}

/**
 * Each name in the first row in which it and its lines, which go down from there, are in nobody's way: right of its first line, left
 * of it, or in the middle of its gap.
 */
function place(marks: readonly Mark[], scale: Scale): Placed[] {
  const taken: Taken[] = []
  const isFree = ({ row, from, to }: Taken) =>
    !taken.some((other) => other.row === row && other.from < to && from < other.to)
  return marks.map((mark) => {
    const lines = linesAt(mark, scale)
    for (let row = 0; row < MOST_ROWS; row += 1) {
      for (const from of beginnings(mark, scale)) {
        const name = { row, from, to: from + widthOf(mark) }
        const below = lines.flatMap((at) => rowsBelow(row).map((other) => ({ row: other, from: at - 2, to: at + 2 })))
        if (name.from < LEFT_PX - 60 || name.to > WIDTH_PX - 4 || ![name, ...below].every(isFree)) continue
        taken.push(
          name,
          ...lines.flatMap((at) => [row, ...rowsBelow(row)].map((other) => ({ row: other, from: at - 1, to: at + 1 }))),
        )
        return { mark, row, from }
      }
    }
    return { mark, row: undefined, from: 0 }
  })
}

function beginnings(mark: Mark, { x }: Scale): number[] {
  const at = x(mark.timesMs[0]!)
  const middle = (at + x(mark.toMs ?? 0)) / 2 - widthOf(mark) / 2
  return [...(mark.toMs === undefined ? [] : [middle]), at + 4, at - 4 - widthOf(mark)]
}

const rowsBelow = (row: number): number[] => Array.from({ length: MOST_ROWS - row - 1 }, (_, at) => row + 1 + at)

const widthOf = (mark: Mark): number => nameOf(mark).length * CHAR_PX

function nameOf({ label, messages }: Mark): string {
  return fitted(label, LABEL_CHARS) + (messages.length > 1 ? ` ×${messages.length}` : '')
}

/** Whole pixels: a hundred errors in a minute are one line. */
function linesAt({ kind, timesMs }: Mark, { x }: Scale): number[] {
  if (kind === 'gap') return []
  return [...new Set(timesMs.map((timeMs) => Math.round(x(timeMs))))]
}

interface Heights {
  readonly top: number
  readonly panels: number
  readonly bottom: number
}

function linesOf({ mark, row }: Placed, scale: Scale, { top, panels, bottom }: Heights): string {
  const from = row === undefined ? panels : top + row * ROW_PX + 1
  const path = linesAt(mark, scale).map((at) => `M${at} ${from}V${bottom}`)
  if (path.length === 0) return ''
  const said = mark.messages
    .slice(0, WORDS_MOST)
    .map((message, at) => `${clock(mark.timesMs[at]!, true)} ${fitted(message, 200)}`)
  const more = mark.messages.length > WORDS_MOST ? [`… and ${mark.messages.length - WORDS_MOST} more`] : []
  return `<path class="v ${mark.kind}" d="${path.join('')}"><title>${escaped([...said, ...more].join('\n'))}</title></path>`
}

function nameIn({ mark, row, from }: Placed, top: number): string {
  return row === undefined ? '' : text(from, top + row * ROW_PX + 11, nameOf(mark), `m ${mark.kind}`)
}
