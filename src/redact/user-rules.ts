/** Patterns of the configuration: checked when they are loaded, run over everything, ended by the watchdog if they hang all the same. */
import { couldHang } from './could-hang.ts'
import type { Sweep } from './redactor.ts'

export interface UserRule {
  /** The kind in the mask. */
  readonly name: string
  /** A JavaScript regular expression; its groups named `secret…` are masked, else all of a match. */
  readonly pattern: string
  readonly ignoreCase?: boolean
}

/** What is wrong with a pattern; undefined when it can be used. */
export function userRuleProblem({ name, pattern, ignoreCase }: UserRule): string | undefined {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) return `"${name}" is no name: small letters, digits and "-", at most 40`
  if (pattern.length > 1000) return `the pattern of ${name} is longer than 1000 characters`
  let compiled: RegExp
  try {
    compiled = new RegExp(pattern, 'm')
  } catch (error) {
    return `the pattern of ${name} is no regular expression: ${(error as Error).message}`
  }
  const hanging = couldHang(pattern, ignoreCase)
  if (hanging !== undefined) return `the pattern of ${name} ${hanging}`
  return compiled.test('') ? `the pattern of ${name} matches nothing at all, so it would match everywhere` : undefined
}

/** @throws Error when a match goes on behind what can be seen: nothing may be sent of it. */
export function userSweep({ name, pattern, ignoreCase }: UserRule): Sweep {
  const regExp = new RegExp(pattern, `gdm${ignoreCase ? 'i' : ''}`)
  return {
    id: name,
    rank: 1,
    find({ text, end, final }, from, to) {
      const spans: { start: number; end: number }[] = []
      regExp.lastIndex = from
      for (let match = regExp.exec(text); match && match.index < to; match = regExp.exec(text)) {
        if (match[0] === '') regExp.lastIndex++
        const ranges = Object.entries(match.indices!.groups ?? {}).filter(
          ([group, range]) => group.startsWith('secret') && range,
        )
        const found = ranges.length > 0 ? ranges.map(([, range]) => range) : [match.indices![0]!]
        if (!final && match.index + match[0].length === end) throw new RangeError('a match without an end in sight')
        spans.push(...found.map(([start, stop]) => ({ start, end: stop })))
      }
      return spans
    },
  }
}
