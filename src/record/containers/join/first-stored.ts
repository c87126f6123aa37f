/** Where the first stored line stands among those that the engine has: what comes before it is older, whatever its time. */
import { lineEnd, stampOf } from './stamps.ts'

/** So many lines are compared where one alone does not tell. */
const COMPARED = 64

/** The first stored lines, without lines of ours. */
export function firstStored(text: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; at < text.length && lines.length < COMPARED;) {
    const end = lineEnd(text, at)
    if (stampOf(text, at) !== undefined) lines.push(text.toString('latin1', at, end))
    at = end
  }
  return lines
}

export interface Border {
  /** Of the engine's lines, those before this one are older. */
  readonly index: number
  /** `time`: the first stored line is not among them. `several`: so many lines further it could be as well. */
  readonly told: 'exactly' | 'time' | 'several'
  readonly further: number
}

/** `stored`: at least one line. */
export function findBorder(engine: readonly string[], stored: readonly string[]): Border {
  const first = stored[0]!
  const alike = engine.flatMap((line, index) => (isAlike(line, first) ? [index] : []))
  const going = alike.filter((index) => stored.every((line, next) => isAlike(engine[index + next] ?? line, line)))
  // Lines of a flood are not stored: then what follows does not tell.
  const places = going.length > 0 ? going : alike
  if (places.length === 0) {
    const stamp = first.slice(0, 30)
    const index = engine.findIndex((line) => line.slice(0, 30) >= stamp)
    return { index: index === -1 ? engine.length : index, told: 'time', further: 0 }
  }
  const [index, last] = [places[0]!, places.at(-1)!]
  return { index, told: index === last ? 'exactly' : 'several', further: last - index }
}

const HEAD_CHARACTERS = '2026-11-21T16:47:23.187458123Z stdout F '.length

/** Of what was masked the words are not known any more. */
function isAlike(line: string, stored: string): boolean {
  if (!stored.includes('<masked:')) return line === stored
  return line.slice(0, HEAD_CHARACTERS) === stored.slice(0, HEAD_CHARACTERS)
}
