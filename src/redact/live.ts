/** Values that are known to be secret, masked wherever they appear: as they are, and as JSON, URLs and base64 write them. */
import type { Rule } from './rule.ts'

const ID = 'live-value'

/** More than a machine has; each costs a little of every byte looked at. */
const MOST_VALUES = 2000
const LONGEST = 4096

/** None or one rule. */
export function liveRule(values: readonly string[]): Rule[] {
  const notations = new Map<string, string[]>()
  for (const value of [...new Set(values)].filter(isTelling).slice(0, MOST_VALUES)) {
    for (const notation of notationsOf(value)) {
      const anchor = fold(notation).slice(0, 24)
      notations.set(anchor, [...(notations.get(anchor) ?? []), notation])
    }
  }
  if (notations.size === 0) return []
  const lengths = [...notations.keys()].map((anchor) => anchor.length)
  const span = { longest: Math.max(...lengths), shortest: Math.min(...lengths) }
  return [
    {
      id: ID,
      title:
        'values that diagd knows to be secret: of containers under secret names, of files named in the configuration',
      anchors: [...notations.keys()],
      rank: 1,
      find({ text }, at) {
        let best = 0
        for (let length = span.shortest; length <= span.longest; length++) {
          for (const notation of notations.get(fold(text.slice(at, at + length))) ?? []) {
            if (notation.length > best && text.startsWith(notation, at) && bounded(text, at, notation))
              best = notation.length
          }
        }
        return best > 0 ? { spans: [{ start: at, end: at + best }] } : undefined
      },
      canary: () => ({ text: values[0] ?? '', secrets: values.slice(0, 1) }),
    },
  ]
}

/**
 * A value that could be a word of every log would hide the evidence: `postgres` is the password of many a database. At least
 * eight characters, not letters of one case alone unless it is long, not digits alone.
 */
export function isTelling(value: string): boolean {
  if (value.length < 8 || value.length > LONGEST || /[\r\n\0]/.test(value)) return false
  if (/^\d+$/.test(value)) return value.length >= 12
  if (/^(?:[a-z]+|[A-Z]+|[A-Z]?[a-z]+)$/.test(value)) return value.length >= 16
  return !/^(?:\/[\w.-]+)+\/?$/.test(value) && !/^(?:[a-z]+[-_.]?)+$/.test(value)
}

/** latin1 of the bytes in which the value is written. */
function notationsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1)
  const encoded = Buffer.from(value).toString('base64').replace(/=+$/, '')
  const all = [value, json, JSON.stringify(json).slice(1, -1), safely(() => encodeURIComponent(value)), encoded]
  return [...new Set(all)].map((text) => Buffer.from(text).toString('latin1')).filter((text) => text.length >= 8)
}

function safely(encode: () => string): string {
  try {
    return encode()
  } catch {
    return ''
  }
}

/** No letter or digit goes on at its ends: `abcd1234` is not part of `abcd12345`. */
function bounded(text: string, at: number, value: string): boolean {
  const word = /[A-Za-z0-9]/
  const before = text[at - 1] ?? ''
  const after = text[at + value.length] ?? ''
  const startsOk = !word.test(value[0]!) || !word.test(before) || /\\[nrt]$/.test(text.slice(Math.max(0, at - 2), at))
  return startsOk && !(word.test(value.at(-1)!) && word.test(after))
}

function fold(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
