/** What stands between two strings of a list or an object: white space, commas, the ends of lines and the heads of the next. */
import type { View } from '../rule.ts'
import { behindHead, breakAt, frameAt, lineFrom, type Frame } from './frame.ts'
import type { Name } from './name.ts'

/** Where the next thing stands; undefined where the lines do not go on with the same head. */
export interface Gap {
  readonly at: number | undefined
  /** There may be more of it beyond what is known. */
  readonly open: boolean
}

/** Looked ahead for the end of a line. */
const AHEAD = 1024

/** The frame of the lines from the name's on, as far as the next one has it too. */
export function frameOf(view: View, { start, quote }: Name): Frame {
  const backslashes = quote?.backslashes ?? 0
  // In a string, `"` is written with one backslash more than twice those of `\n` less one.
  const escaped = backslashes === 0 ? 0 : Math.ceil(backslashes / 2)
  const at = quote ? start - backslashes - 1 : start
  const next = nextLine(view, at, escaped)
  return (next === undefined ? undefined : frameAt(view, at, { escaped, next })?.frame) ?? { escaped, head: '' }
}

function nextLine(view: View, at: number, escaped: number): number | undefined {
  if (escaped > 0) {
    const near = { ...view, end: Math.min(view.end, at + AHEAD) }
    return lineFrom(near, at, { escaped, head: '' }).next
  }
  const newline = view.text.slice(at, at + AHEAD).indexOf('\n')
  return newline < 0 ? undefined : at + newline + 1
}

/** @param blank sticky: what may stand between, line breaks aside. */
export function behindGap(view: View, at: number, frame: Frame, blank: RegExp): Gap {
  for (let to = at; ;) {
    blank.lastIndex = to
    blank.test(view.text)
    to = Math.min(Math.max(to, blank.lastIndex), view.end)
    if (to === view.end) return { at: to, open: !view.final }
    const lineBreak = breakAt(view, to)
    if (!lineBreak) return { at: to, open: false }
    const behind = lineBreak.escaped === frame.escaped ? behindHead(view, lineBreak.next, frame.head) : lineBreak.next
    if (behind === 'further') return { at: to, open: true }
    if (behind === undefined) return { at: undefined, open: false }
    to = behind
  }
}
