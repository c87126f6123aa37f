/** What is left of a private key whose first line is missing: a log was rotated in the midst of it, or a limit or a window begins there. */
import type { Random, Rule } from '../rule.ts'
import { bodyBefore, REST_BYTES } from './body-before.ts'
import { endsBehind } from './crossing.ts'

const ENDS = /-----END(?:[ +]|%20)[A-Z0-9 +%]{0,40}PRIVATE(?:[ +]|%20)KEY(?:(?:[ +]|%20)BLOCK)?-----/y
const PUTTY_ENDS = /Private-MAC: [0-9a-f]/y

/** From the begin of a marker to the words that it is found by. */
const MARKER_BYTES = 64

const tornKey: Rule = {
  id: 'torn-private-key',
  title: 'Private key without its first line, known by its last one',
  // The marker's own beginning would be dearer to look for: `priv` is looked for anyway.
  anchors: ['private key', 'private+key', 'private%20key', 'private-mac:'],
  behindBytes: REST_BYTES + MARKER_BYTES,
  endsBehind,
  rank: 2,
  find(view, at) {
    const marker = markerAround(view.text, at)
    return marker === undefined ? undefined : { spans: bodyBefore(view, marker) }
  },
  canary: (random) => {
    const body = bodyLines(random)
    return { text: [...body, '-----END RSA PRIVATE KEY-----', ''].join('\n'), secrets: body }
  },
}

/** Where the marker begins that holds the byte at `at`. */
function markerAround(text: string, at: number): number | undefined {
  PUTTY_ENDS.lastIndex = at
  if (PUTTY_ENDS.test(text)) return at
  const from = Math.max(0, at - MARKER_BYTES)
  const marker = from + text.slice(from, at + END.length).lastIndexOf(END)
  ENDS.lastIndex = marker
  return marker >= from && ENDS.test(text) && ENDS.lastIndex > at ? marker : undefined
}

const END = '-----END'

function bodyLines(random: Random): string[] {
  return [...Array.from({ length: 6 }, () => random(64, 'base64').slice(0, 64)), `${random(42)}==`]
}

export const TORN_RULES: readonly Rule[] = [tornKey]
