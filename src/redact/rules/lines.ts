/** Secrets that go over many lines: each line's part of it is a span of its own, so that the lines stay. */
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
}

/** A line that is cut off shorter than this is looked at again when its end is known. */
const SHORT_LINE = 1024

/** Goes from line to line, through stretches, until the step says that it is over. */
export function byLine<State>(rule: string, step: Step<State>) {
  return {
    from: (view: View, at: number, state: State): Finding => walk(rule, step, view, at, state),
    resume(view: View, { at, state }: Pending): Finding {
      const { own, running } = state as Going<State>
      if (!running) return own === undefined ? { spans: [] } : walk(rule, step, view, at, own)
      const end = endOfLetters(view, at)
      const spans = [{ start: at, end }]
      if (end === view.end && !view.final) return { spans, pending: { rule, at: end, state } }
      if (own === undefined) return { spans }
      const rest = walk(rule, step, view, nextLine(view, end), own)
      return { ...rest, spans: [...spans, ...rest.spans] }
    },
  }
}

function walk<State>(rule: string, step: Step<State>, view: View, at: number, first: State): Finding {
  const spans: Span[] = []
  let own: State | undefined = first
  for (let start = at; own !== undefined && start < view.end;) {
    const end = nextLine(view, start)
    const cut = view.text[end - 1] !== '\n' && !view.final
    if (cut && end - start < SHORT_LINE) return { spans, pending: { rule, at: start, state: { own, running: false } } }
    const said = step({ text: view.text.slice(start, end), start }, own)
    spans.push(...said.spans)
    own = said.next
    const running = cut && said.spans.at(-1)?.end === view.end
    if (running || (cut && own !== undefined)) return { spans, pending: { rule, at: end, state: { own, running } } }
    start = end
  }
  if (own === undefined || view.final) return { spans }
  return { spans, pending: { rule, at: Math.max(at, view.end), state: { own, running: false } } }
}

function nextLine(view: View, from: number): number {
  const end = view.text.indexOf('\n', from)
  return end < 0 ? view.end : end + 1
}

function endOfLetters({ text, end }: View, from: number): number {
  LETTERS.lastIndex = from
  LETTERS.test(text)
  return Math.min(Math.max(from, LETTERS.lastIndex), end)
}

const LETTERS = /[A-Za-z0-9+/=]*/y
