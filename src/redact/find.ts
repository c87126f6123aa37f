/** Ways to write the `find` of a rule. */
import type { Finding, Rule, Span, View } from './rule.ts'

/**
 * What a pattern matches at the anchor is secret: its named groups whose names begin with `secret`, or all of it.
 * A match that reaches the end of what is known goes on to the next white space or quote.
 */
export function matching(id: string, pattern: RegExp): Pick<Rule, 'find' | 'resume'> {
  const sticky = new RegExp(pattern.source, `${pattern.flags}dy`)
  const long = rememberLong()
  return {
    find(view, at) {
      if (long.holding(view, at)) return undefined
      sticky.lastIndex = at
      const match = sticky.exec(view.text)
      if (!match) return undefined
      const { groups } = match.indices!
      const spans = groups ? secretGroups(groups) : [{ start: at, end: match.indices![0]![1] }]
      long.add(view, spans)
      return goingOn(id, spans, view)
    },
    resume: (view, { at }) => goingOn(id, [{ start: at, end: endOfRun(view, at) }], view),
  }
}

function secretGroups(groups: Record<string, [number, number]>): Span[] {
  return Object.entries(groups)
    .filter(([name, range]) => name.startsWith('secret') && range !== undefined)
    .map(([, [start, end]]) => ({ start, end }))
}

function goingOn(id: string, spans: readonly Span[], view: View): Finding {
  const reaches = !view.final && spans.some(({ end }) => end === view.end)
  return { spans, ...(reaches ? { pending: { rule: id, at: view.end, state: null } } : {}) }
}

/**
 * Long spans of a rule, the last few: an anchor that stands in one is masked already. To look for the end of the same long
 * span from every anchor in it would take for ever.
 */
export function rememberLong(): {
  holding: (view: View, at: number) => Span | undefined
  add: (view: View, spans: readonly Span[]) => void
} {
  const known = new WeakMap<View, Span[]>()
  return {
    holding: (view, at) => known.get(view)?.find(({ start, end }) => at >= start && at < end),
    add(view, spans) {
      const long = spans.filter(({ start, end }) => end - start > LONG)
      if (long.length > 0) known.set(view, [...long, ...(known.get(view) ?? [])].slice(0, MOST_REMEMBERED))
    },
  }
}

/** Passwords are shorter: of an argument before it, the next one is still looked at. */
const LONG = 512
/** A stretch is gone through from two places at once. */
const MOST_REMEMBERED = 4

/** The end of what white space, a quote or a bracket ends. */
export function endOfRun({ text, end }: View, from: number): number {
  RUN.lastIndex = from
  RUN.test(text)
  return Math.min(Math.max(from, RUN.lastIndex), end)
}

const RUN = /[^\s"'<>`\\]*/y
