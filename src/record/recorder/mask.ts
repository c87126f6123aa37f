/** Masks what events say before it is stored: a group at a time, and what cannot be masked is not stored. */
import { randomUUID } from 'node:crypto'
import type { NewEvent } from '../events/event.ts'
import { MESSAGE_CHARACTERS, SUBJECT_CHARACTERS, shortened, shortenedDetail } from '../events/row.ts'
import type { BundleRedactor } from '../../redact/service.ts'

/** The most of a text that is looked at, much more than is kept: a secret that is cut is none that a rule knows. */
const MOST_MASKED = 64 * 1024

export interface Mask {
  events<T extends NewEvent>(events: readonly T[]): Promise<T[]>
  /** Events whose words were withheld since diagd started, for they could not be masked. */
  readonly withheld: number
}

/** `redactor` undefined: the rules are not known (the configuration cannot be understood), and every text is withheld. */
export function createMask(redactor: Pick<BundleRedactor, 'whole'> | undefined): Mask {
  const masked = async (text: string): Promise<string> => {
    if (redactor === undefined) throw new Error('the configuration of the mask cannot be understood')
    return (await redactor.whole(Buffer.from(text))).bytes.toString()
  }
  let withheld = 0
  const single = async <T extends NewEvent>(event: T): Promise<T> => {
    try {
      // One after the other, so that no text is the continuation of another.
      const [message, subject, detail] = textsOf(event)
      return filled(event, [await masked(message), await masked(subject), await masked(detail)])
    } catch (error) {
      withheld += 1
      return without(event, (error as Error).message)
    }
  }
  return {
    get withheld() {
      return withheld
    },
    async events(events) {
      const group = await maskGroup(events, masked).catch(() => undefined)
      return group ?? (await inTurn(events, single))
    },
  }
}

type Texts = readonly [message: string, subject: string, detail: string]

/**
 * All texts in one go, with marks between them: one way to the thread of the rules instead of hundreds. undefined when a
 * rule took a mark for a part of a secret (the beginning of a key whose end is missing, say).
 */
async function maskGroup<T extends NewEvent>(
  events: readonly T[],
  masked: (text: string) => Promise<string>,
): Promise<T[] | undefined> {
  if (events.length === 0) return []
  const mark = `\n\u001e ${randomUUID()} \u001e\n`
  const texts = events.flatMap(textsOf)
  const parts = (await masked(texts.join(mark))).split(mark)
  if (parts.length !== texts.length) return undefined
  return events.map((event, index) => filled(event, parts.slice(index * 3, index * 3 + 3) as unknown as Texts))
}

function textsOf({ message, subject, detail }: NewEvent): Texts {
  const json = detail === undefined ? '' : JSON.stringify(detail)
  return [message.slice(0, MOST_MASKED), subject.slice(0, MOST_MASKED), json.slice(0, MOST_MASKED)]
}

/** The store cuts what is too long to be kept; here is cut what was not looked at. @throws SyntaxError when a mask broke the JSON. */
function filled<T extends NewEvent>(event: T, [message, subject, json]: Texts): T {
  const { detail } = event
  return {
    ...event,
    message: lookedAt(message, MESSAGE_CHARACTERS, event.message.length),
    subject: lookedAt(subject, SUBJECT_CHARACTERS, event.subject.length),
    ...(detail === undefined ? {} : { detail: detailOf(json, detail) }),
  }
}

function lookedAt(masked: string, most: number, characters: number): string {
  return characters > MOST_MASKED ? shortened(masked, most, characters) : masked
}

function detailOf(json: string, detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole = JSON.stringify(detail)
  if (whole.length > MOST_MASKED) return { ...shortenedDetail(json, Buffer.byteLength(whole)) }
  return JSON.parse(json) as Record<string, unknown>
}

function without<T extends NewEvent>(event: T, reason: string): T {
  return {
    ...event,
    subject: event.subject === '' ? '' : 'withheld',
    message: `withheld, for it could not be masked: ${reason}`,
    detail: { withheld: true },
  }
}

async function inTurn<T, U>(all: readonly T[], each: (one: T) => Promise<U>): Promise<U[]> {
  const done: U[] = []
  for (const one of all) done.push(await each(one))
  return done
}
