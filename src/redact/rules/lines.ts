/** Secrets that go over many lines: each line's part of it is a span of its own, so that the lines stay. */
import { lineAt, lineFrom, PLAIN, type Frame } from '../pairs/frame.ts'
import type { Finding, Pending, Span, View } from '../rule.ts'

/** What one line (from `start`, without its end) says: the secret parts of it, and what to look for next; undefined ends it. */
export type Step<State> = (
  line: { readonly text: string; readonly start: number },
  state: State,
) => { spans: readonly Span[]; next: State | undefined }

interface Going<State> {
  readonly own: State | undefined
  /** The known bytes ended within the letters of a line longer than they are. */
  readonly running: boolean
  readonly frame: Frame
}

/** A line that is cut off shorter than this is looked at again when its end is known. */
const SHORT_LINE = 1024

/** Goes from line to line, through stretches, until the step says that it is over. */
export function byLine<State>(rule: string, step: Step<State>) {
  return {
    from: (view: View, at: number, state: State, frame = PLAIN): Finding =>
      walk(rule, step, view, at, { own: state, running: false, frame }),
    resume(view: View, { at, state }: Pending): Finding {
      const going = state as Going<State>
      if (!going.running) return walk(rule, step, view, at, going)
      const end = endOfLetters(view, at)
      const spans = [{ start: at, end }]
      if (end === view.end && !view.final) return { spans, pending: { rule, at: end, state } }
      const { next, open } = lineFrom(view, end, going.frame)
      if (next === undefined && !open) return { spans }
      const rest = walk(rule, step, view, next ?? view.end, { ...going, running: false })
      return { ...rest, spans: [...spans, ...rest.spans] }
    },
  }
}

function walk<State>(rule: string, step: Step<State>, view: View, at: number, going: Going<State>): Finding {
  const spans: Span[] = []
  const { frame } = going
  let { own } = going
  const pending = (from: number, running: boolean) => ({ rule, at: from, state: { own, running, frame } })
  for (let from = at; own !== undefined;) {
    const { start, end, next, open } = lineAt(view, from, frame)
    if (open && end - from < SHORT_LINE) return { spans, pending: pending(from, false) }
    if (start === undefined) return { spans }
    const said = step({ text: view.text.slice(start, end), start }, own)
    spans.push(...said.spans)
    own = said.next
    const running = open && said.spans.at(-1)?.end === end
    if (running || (open && own !== undefined)) return { spans, pending: pending(end, running) }
    if (next === undefined) return { spans }
    from = next
  }
  return { spans }
}

function endOfLetters({ text, end }: View, from: number): number {
  LETTERS.lastIndex = from
  LETTERS.test(text)
  return Math.min(Math.max(from, LETTERS.lastIndex), end)
}

const LETTERS = /[A-Za-z0-9+/=]*/y
