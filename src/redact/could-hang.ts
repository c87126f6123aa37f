/**
 * Whether a pattern may take for ever on the wrong text. A text is looked for on which the engine would have many ways to go, and the ways are
 * counted: no library at hand counts them, least of all those of counted repetitions (docs/decisions/0007-redaction.md).
 */
import { add, placesOf, type Places, type Ways } from './pattern-runs.ts'

/** Steps from one beginning of a match. There may be 256 Ki beginnings, and 20 s for all of them. */
const MOST_STEPS = 4000
/** More of them for each character of the text: a few ways that stay a few are no danger. */
const MORE_STEPS = 16
/** Characters of the text that is looked for: what grows with the square of its length is far above MOST_STEPS there. */
const TEXT_LENGTH = 512
/** Texts that are gone on with, those first that left the most ways open. */
const TEXTS = 96
/** What may be counted for a pattern: some tenths of a second. */
const MOST_WORK = 10_000_000

/** What is wrong with the pattern, as a sentence without its subject; undefined if it can be used. @throws SyntaxError when it is none. */
export function couldHang(pattern: string, ignoreCase = false): string | undefined {
  let places: Places
  try {
    places = placesOf(pattern, ignoreCase ? 'im' : 'm')
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
  return manyWays(places) ?? longLine(places)
}

interface Text {
  readonly text: string
  /** The places whose character was the last one, and by how many ways. */
  readonly at: Ways
  readonly steps: number
}

/** A greedy search: goes on from every text with every kind of character, and keeps the worst. */
function manyWays(pattern: Places): string | undefined {
  const letters = lettersFor(pattern)
  let texts = letters.map((letter) => textOf(letter, startsWith(pattern, letter), 0))
  let work = 0
  for (let length = 1; length < TEXT_LENGTH && texts.length > 0; length++) {
    const worst = texts.find(({ steps }) => steps > MOST_STEPS + MORE_STEPS * length)
    if (worst) return tooMany(pattern, worst)
    const longer = new Map<string, Text>()
    for (const { text, at, steps } of texts) {
      for (const letter of letters) {
        const there = goingOn(pattern, at, letter)
        work += at.size + there.size
        const key = [...there].join(' ')
        const one = textOf(text + letter, there, steps)
        if (there.size > 0 && one.steps > (longer.get(key)?.steps ?? 0)) longer.set(key, one)
      }
    }
    if (work > MOST_WORK) return 'is too large to be judged: accepted is one with fewer or smaller repetitions'
    texts = [...longer.values()].toSorted((a, b) => total(b.at) - total(a.at) || b.steps - a.steps).slice(0, TEXTS)
  }
  return undefined
}

function textOf(text: string, at: Ways, before: number): Text {
  return { text, at, steps: before + total(at) }
}

/** Matches may begin anywhere: what begins with `.*` goes from each of its characters to the end of the line. */
function longLine(pattern: Places): string | undefined {
  let at: Ways = new Map()
  let steps = 0
  for (const [index, letter] of Array.from(LINE).entries()) {
    at = goingOn(pattern, at, letter)
    if (index === 0 || !pattern.anchored) for (const [place, ways] of startsWith(pattern, letter)) add(at, place, ways)
    steps += total(at)
  }
  if (steps < LINE.length * LINE.length * MOST_OF_SQUARE) return undefined
  const [repetition] = repetitionsOf(pattern, at)
  return (
    `could take for ever on a long line: from wherever it begins, ${repetition} goes on to the end. ` +
    'Accepted is a pattern that begins with ^ or with what seldom occurs, and goes on to something near: [^"]{1,100} instead of .*'
  )
}

function startsWith({ places, first }: Places, letter: string): Ways {
  return new Map([...first].filter(([place]) => places[place]!.takes[letter.charCodeAt(0)]))
}

function goingOn({ places }: Places, at: Ways, letter: string): Ways {
  const there: Ways = new Map()
  const code = letter.charCodeAt(0)
  for (const [from, ways] of at) {
    for (const [place, more] of places[from]!.next) if (places[place]!.takes[code]) add(there, place, ways * more)
  }
  return there
}

/** One letter of each kind that the pattern tells apart; printable ones first. */
function lettersFor({ places }: Places): string[] {
  const kinds = new Map<string, string>()
  const distinct = [...new Set(places.map(({ takes }) => takes))]
  for (const letter of LETTERS) {
    const kind = distinct.map((takes) => takes[letter.charCodeAt(0)]).join('')
    if (kind.includes('1') && !kinds.has(kind)) kinds.set(kind, letter)
  }
  return [...kinds.values()]
}

function total(ways: Ways): number {
  let all = 0
  for (const one of ways.values()) all += one
  return all
}

function tooMany(pattern: Places, { text, at }: Text): string {
  const parts = repetitionsOf(pattern, at).slice(0, 2).join(' and ')
  const shown = JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}\u2026` : text)
  return (
    `could take for ever on a text like ${shown}: ${parts} can match it in too many ways. ` +
    String.raw`Accepted is what leaves one way: \w+-\d+ instead of \w+\d+, (?:a+,)+ instead of (?:a+)+, a{8} instead of (?:a?){8}`
  )
}

/** As they are written, those by which the most ways go first. */
function repetitionsOf({ places }: Places, at: Ways): string[] {
  const byWays = [...at].toSorted(([, one], [, other]) => other - one)
  const written = byWays.map(([place]) => places[place]!.repetition).filter((repetition) => repetition !== undefined)
  return written.length > 0 ? [...new Set(written)] : ['it']
}

const LETTERS = Array.from({ length: 256 }, (_, index) => String.fromCharCode((index + 97) % 256))

/** An ordinary line of a log, but long. */
const LINE = Array.from(
  { length: 24 },
  (_, index) =>
    `{"time":"2026-06-15T12:00:${index + 10}Z","msg":"GET /a/b?c=${index}&d=x_Y 200 (12.${index} ms)","host":"web-1"},`,
).join('')
/** Of all pairs of characters of a line. */
const MOST_OF_SQUARE = 0.015
