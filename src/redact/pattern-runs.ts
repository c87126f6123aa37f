/**
 * A pattern as what V8 makes of it: places that take one character each, and the ways from one to the next, counted. A backtracking engine
 * goes every way there is before it gives up, so counting the ways through a text tells what the text may cost.
 */
import { RegExpParser, type AST } from '@eslint-community/regexpp'

/** More are refused: counted repetitions are written out. */
const MOST_PLACES = 2000
const MOST_WAYS = 200_000

interface Place {
  /** By code of latin1: 1 where it is taken. */
  readonly takes: Uint8Array
  /** The outermost repetition around it, as it is written. */
  readonly repetition: string | undefined
  /** Where it goes on, and in how many ways. */
  readonly next: Ways
}

/** A place, and in how many ways it is come by. */
export type Ways = Map<number, number>

export interface Places {
  readonly places: readonly Place[]
  readonly first: Ways
  /** It can begin at the beginning of a line only. */
  readonly anchored: boolean
}

/** The same of a part of a pattern. */
interface Part {
  /** In how many ways it matches nothing. */
  readonly empty: number
  readonly first: Ways
  readonly last: Ways
}

const NOTHING: Part = { empty: 1, first: new Map(), last: new Map() }

/** @param flags those of a JavaScript regular expression, of which `i`, `m` and `s` matter. @throws RangeError when it is too large. */
export function placesOf(pattern: string, flags: string): Places {
  const ast = new RegExpParser().parsePattern(pattern, 0, pattern.length, { unicode: false })
  const places: Place[] = []
  const part = createBuilder(places)(ast, flags, undefined)
  return { places, first: part.first, anchored: ast.alternatives.every(({ elements: [one] }) => isLineStart(one)) }
}

function isLineStart(element: AST.Element | undefined): boolean {
  return element?.type === 'Assertion' && element.kind === 'start'
}

type Node = AST.Pattern | AST.Element | AST.Alternative
type Build = (node: Node, flags: string, repetition: AST.Quantifier | undefined) => Part

function createBuilder(places: Place[]): Build {
  const taken = new Map<string, Uint8Array>()
  let links = 0
  const link = (last: Ways, first: Ways) => {
    links += last.size * first.size
    if (links > MOST_WAYS) throw tooLarge()
    for (const [from, ways] of last) for (const [to, more] of first) add(places[from]!.next, to, ways * more)
  }
  const chain = (one: Part, other: Part): Part => {
    link(one.last, other.first)
    return {
      empty: one.empty * other.empty,
      first: sum(one.first, other.first, one.empty),
      last: sum(other.last, one.last, other.empty),
    }
  }
  const build: Build = (node, flags, repetition) => {
    const inside = (of: Node, withFlags = flags) => build(of, withFlags, repetition)
    switch (node.type) {
      case 'Alternative':
        return node.elements.map((element) => inside(element)).reduce(chain, NOTHING)
      case 'Pattern':
      case 'CapturingGroup':
        return node.alternatives.map((one) => inside(one)).reduce(either)
      case 'Group':
        return node.alternatives.map((one) => inside(one, modified(flags, node.modifiers))).reduce(either)
      case 'Quantifier':
        return repeated(node, () =>
          build(node.element, flags, repetition ?? (node.max > 1 || node.min < 1 ? node : undefined)),
        )
      case 'Backreference':
        return [node.resolved]
          .flat()
          .map((group) => (holds(group, node) ? NOTHING : inside(group)))
          .reduce(either)
      case 'Assertion':
        if (node.kind !== 'lookahead' && node.kind !== 'lookbehind') return NOTHING
        return looked(node, node.alternatives.map((one) => inside(one)).reduce(either))
      default: {
        if (places.length >= MOST_PLACES) throw tooLarge()
        const ways: Ways = new Map([[places.length, 1]])
        places.push({ takes: charactersOf(node.raw, flags, taken), repetition: repetition?.raw, next: new Map() })
        return { empty: 0, first: ways, last: ways }
      }
    }
  }
  const repeated = ({ min, max }: AST.Quantifier, copy: () => Part): Part => {
    if (max === 0) return NOTHING
    const before = places.length
    const last = copy()
    // Nothing but assertions: copies change nothing.
    if (places.length === before) return { ...NOTHING, empty: last.empty ** min }
    if (max === Infinity) link(last.last, last.first)
    const copies = max === Infinity ? Math.max(1, min) : max
    let rest = copies > min ? optional(last) : last
    for (let left = copies - 1; left > 0; left--) {
      const one = chain(copy(), rest)
      rest = left > min ? optional(one) : one
    }
    return rest
  }
  return build
}

function tooLarge(): RangeError {
  return new RangeError(
    `is too large to be judged: accepted is one of at most ${MOST_PLACES} characters, with its repetitions written out`,
  )
}

/** Inside its own group a backreference matches nothing. */
function holds(group: AST.Node, node: AST.Node): boolean {
  return group.start <= node.start && node.end <= group.end
}

/** What is looked at ahead ends there, and the pattern goes on from where it was; what stood before was gone through. */
function looked(node: AST.LookaroundAssertion, body: Part): Part {
  if (node.kind === 'lookbehind' && !node.negate) return body
  return { empty: 1, first: body.first, last: new Map() }
}

function either(one: Part, other: Part): Part {
  return { empty: one.empty + other.empty, first: sum(one.first, other.first), last: sum(one.last, other.last) }
}

/** An iteration that took nothing is not tried again. */
function optional({ first, last }: Part): Part {
  return { empty: 1, first, last }
}

function sum(one: Ways, other: Ways, times = 1): Ways {
  const both = new Map(one)
  if (times > 0) for (const [place, ways] of other) add(both, place, ways * times)
  return both
}

export function add(ways: Ways, place: number, more: number): void {
  ways.set(place, (ways.get(place) ?? 0) + more)
}

function charactersOf(raw: string, flags: string, known: Map<string, Uint8Array>): Uint8Array {
  const key = `${flags}/${raw}`
  let takes = known.get(key)
  if (!takes) {
    const one = new RegExp(`^(?:${raw})$`, flags.replace('m', ''))
    takes = Uint8Array.from({ length: 256 }, (_, code) => (one.test(String.fromCharCode(code)) ? 1 : 0))
    known.set(key, takes)
  }
  return takes
}

/** `(?i:…)`, `(?-s:…)`. */
function modified(flags: string, modifiers: AST.Modifiers | null): string {
  const [more = '', less = ''] = [modifiers?.add?.raw, modifiers?.remove?.raw]
  return [...new Set(flags + more)].filter((flag) => !less.includes(flag)).join('')
}
