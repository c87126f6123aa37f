/** One stretch: what a rule may claim, what goes on in the next stretch, what is counted. */
import { expect, test } from 'vitest'
import { maskOf } from '../../src/redact/mask.ts'
import { createRedactor, type Carry, type Masked } from '../../src/redact/redactor.ts'
import type { Finding, Pending, Rule } from '../../src/redact/rule.ts'

const KEY = Buffer.alloc(32, 7)

/** Looks at `here` and says what the test wants. */
function ruleOf(find: (at: number) => Finding, resume: (going: Pending) => Finding = () => ({ spans: [] })): Rule {
  return {
    id: 'kind',
    title: 'of the test',
    anchors: ['here'],
    rank: 0,
    find: (_, at) => find(at),
    resume: (_, going) => resume(going),
    canary: () => ({ text: 'here', secrets: ['here'] }),
  }
}

function masked(rule: Rule, text: string, carry: Carry = { sentTo: 0, pending: [] }, to = text.length): Masked {
  return createRedactor([rule], KEY)({ bytes: Buffer.from(text), from: 0, to, final: true, carry })
}

test('a rule that claims what stands before its anchor is a mistake, by a byte too', () => {
  const rule = ruleOf((at) => ({ spans: [{ start: at - 1, end: at + 4 }] }))
  expect(() => masked(rule, 'a here')).toThrow('the rule kind claims bytes that may be sent already')
})

test('every mask counts', () => {
  const rule = ruleOf((at) => ({ spans: [{ start: at, end: at + 4 }] }))
  expect(masked(rule, 'here and here, here').hits).toEqual({ kind: 3 })
})

test('what goes on behind the stretch waits until it is there', () => {
  const resumed: number[] = []
  const rule = ruleOf(
    () => ({ spans: [] }),
    ({ at }) => {
      resumed.push(at)
      return { spans: [{ start: at, end: at + 2 }] }
    },
  )
  const pending = [5, 6, 7].map((at) => ({ rule: 'kind', at, state: null }))
  const { carry } = masked(rule, '0123456789', { sentTo: 0, pending }, 6)
  expect(resumed).toEqual([5, 6])
  expect(carry.pending).toEqual([{ rule: 'kind', at: 7, state: null }])
})

test('of a secret whose beginning is sent, or replaced, the rest is replaced, under the token of all of it', () => {
  const rule = ruleOf((at) => ({ spans: [{ start: at, end: at + 10 }] }))
  const { bytes, carry } = masked(rule, 'a hereSECRET b', { sentTo: 4, pending: [] })
  expect(Buffer.from(bytes).toString()).toBe(`${maskOf('kind', 'hereSECRET', KEY)} b`)
  expect(carry.sentTo).toBe(14)
})
