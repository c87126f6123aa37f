/** Ways to write the `find` of a rule. */
import type { Finding, Rule, Span, View } from './rule.ts'

/**
 * What a pattern matches at the anchor is secret: its named groups whose names begin with `secret`, or all of it.
 * A match that reaches the end of what is known goes on to the next white space or quote.
 */
export function matching(id: string, pattern: RegExp): Pick<Rule, 'find' | 'resume'> {
  const sticky = new RegExp(pattern.source, `${pattern.flags}dy`)
  return {
    find(view, at) {
      sticky.lastIndex = at
      const match = sticky.exec(view.text)
      if (!match) return undefined
      const { groups } = match.indices!
      const spans = groups ? secretGroups(groups) : [{ start: at, end: match.indices![0]![1] }]
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

/** The end of what white space, a quote or a bracket ends. */
export function endOfRun({ text, end }: View, from: number): number {
  RUN.lastIndex = from
  RUN.test(text)
  return Math.min(Math.max(from, RUN.lastIndex), end)
}

const RUN = /[^\s"'<>`\\]*/y
