/** The `events` key: how much is kept of what happened, and what phases look like. */
import { z } from 'zod'
import { couldHang } from '../redact/could-hang.ts'
import { sizeBetween, timeBetween } from './amounts.ts'
import { mappingOf, parsed } from './parsed.ts'

export interface EventsConfig {
  readonly maxAgeMs: number
  readonly maxBytes: number
  /** Regular expressions with a group `phase`, of an end also `status`; those of diagd without them. */
  readonly phaseStart?: string | undefined
  readonly phaseEnd?: string | undefined
}

/** What a message says is accepted. */
export const EVENTS_ACCEPTS =
  '"none", or a mapping {maxAge: TIME (1h to 52w, default 7d), maxSize: SIZE (8MiB to 16GiB, default 64MiB), ' +
  'phaseStart and phaseEnd: regular expressions with a group named phase, of an end also status}'

const schema = z.strictObject({
  maxAge: parsed(timeBetween('1h', '52w')).prefault('7d'),
  maxSize: parsed(sizeBetween('8MiB', '16GiB')).prefault('64MiB'),
  phaseStart: z.optional(parsed(parsePattern)),
  phaseEnd: z.optional(parsed(parsePattern)),
})

/** @throws Error that names the wrong part. */
export function parseEventsKey(value: unknown): EventsConfig | 'none' {
  if (value === 'none') return value
  const { maxAge, maxSize, phaseStart, phaseEnd } = mappingOf(schema, value)
  return {
    maxAgeMs: maxAge,
    maxBytes: maxSize,
    ...(phaseStart === undefined ? {} : { phaseStart }),
    ...(phaseEnd === undefined ? {} : { phaseEnd }),
  }
}

/** It is run over every line of the journal: one that can take for ever would stop the recorder. */
function parsePattern(value: unknown): string {
  if (typeof value !== 'string' || value.length > 1000) throw new Error('is not a text of at most 1000 characters')
  if (!groupsOf(value).includes('phase')) throw new Error('has no group (?<phase>…)')
  const hanging = couldHang(value)
  if (hanging !== undefined) throw new Error(`is refused: it ${hanging}`)
  return value
}

function groupsOf(pattern: string): string[] {
  try {
    // With nothing as an alternative it matches, and tells the names of all its groups.
    return Object.keys(new RegExp(`${pattern}|`).exec('')?.groups ?? {})
  } catch (error) {
    throw new Error(`is no regular expression: ${(error as Error).message}`, { cause: error })
  }
}
