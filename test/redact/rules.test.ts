/** What holds for every rule: its canary is caught, at every border, and what is masked is left alone. */
import { describe, expect, it } from 'vitest'
import { RULES } from '../../src/redact/rules.ts'
import { maskAll, random, shapeOf } from './mask-all.ts'

it('has one rule for each id, and an id fits into a mask', () => {
  const ids = RULES.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,40}$/)
})

describe.each(RULES.map((rule) => ({ id: rule.id, rule })))('$id', ({ rule }) => {
  const { text, secrets } = rule.canary(random)
  const whole = maskAll(text)

  it('catches its canary, and keeps the lines', () => {
    expect(secrets.length).toBeGreaterThan(0)
    for (const secret of secrets) expect(text).toContain(secret)
    for (const secret of secrets) expect(whole).not.toContain(secret.slice(-12))
    expect(whole).toContain('<masked:')
    expect(whole.split('\n').length).toBe(text.split('\n').length)
  })

  it('changes nothing of what is masked', () => expect(maskAll(whole)).toBe(whole))

  it('gives the same, wherever a border of stretches falls', () => {
    for (let first = 1; first < text.length; first++) expect(maskAll(text, { first })).toBe(whole)
  })

  it('is as good at the far end of what can be looked ahead at', () => {
    const lead = 'a line of a log that tells nothing\n'.repeat(100)
    for (const block of [7, 64, 1000]) expect(maskAll(lead + text, { block })).toBe(lead + whole)
  })

  it('stays in words of JSON', () => {
    const masked = maskAll(JSON.stringify({ log: text, stream: 'stdout' }))
    expect(() => JSON.parse(masked) as unknown, shapeOf(masked)).not.toThrow()
  })
})
