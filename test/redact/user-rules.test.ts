/** Patterns of the configuration: those that could hang are refused, ordinary ones do what they say. */
import { describe, expect, it, test } from 'vitest'
import { createRedactor } from '../../src/redact/redactor.ts'
import { userRuleProblem, userSweep, type UserRule } from '../../src/redact/user-rules.ts'

function problem(pattern: string): string | undefined {
  return userRuleProblem({ name: 'corp', pattern })
}

function masked(text: string, rule: Omit<UserRule, 'name'>, final = true): string {
  const redact = createRedactor([], Buffer.alloc(32, 7), [userSweep({ name: 'corp', ...rule })])
  const bytes = Buffer.from(text)
  const stretch = { bytes, from: 0, to: bytes.length, final, carry: { sentTo: 0, pending: [] } }
  return Buffer.from(redact(stretch).bytes)
    .toString()
    .replaceAll(/<masked:corp:[0-9a-f]{6}>/g, '§')
}

describe('refused', () => {
  it('what could take for ever, by its name and with its flag', () => {
    expect(problem('(a+)+$')).toMatch(
      /^the pattern of corp could take for ever on a text like "a+": \(a\+\)\+ can match it/,
    )
    const pattern = '[a-z]+[A-Z]+;'
    expect(problem(pattern)).toBeUndefined()
    expect(userRuleProblem({ name: 'corp', pattern, ignoreCase: true })).toContain('could take for ever')
  })

  it.each([
    ['(', 'is no regular expression'],
    ['a*', 'matches nothing at all'],
    ['', 'matches nothing at all'],
    ['a'.repeat(1001), 'longer than 1000 characters'],
  ])('%j: %s', (pattern, why) => expect(problem(pattern)).toContain(why))

  it.each(['', 'Corp', 'a b', '9', 'a'.repeat(41), '<x>'])('the name %j', (name) => {
    expect(userRuleProblem({ name, pattern: 'abcd' })).toContain('is no name')
  })
})

const ORDINARY: [string, string, string][] = [
  ['MYCORP-[0-9]{8}', 'id MYCORP-12345678.', 'id §.'],
  [String.raw`(?<=key=)[A-Z]{3}\d+`, 'key=ABC123 KEY', 'key=§ KEY'],
  [String.raw`internal\.example\.com`, 'at internal.example.com:80', 'at §:80'],
  [String.raw`customer (?<secret>\d+)`, 'customer 4711 called', 'customer § called'],
  [String.raw`(?<secretA>\w{3})-(?<secretB>\w{3})`, 'abc-def', '§-§'],
  ['^ticket: .+$', 'a\nticket: x y\nb', 'a\n§\nb'],
  [String.raw`\b[A-Z]{2}\d{2}(?: \d{4}){4}`, 'IBAN DE12 1234 1234 1234 1234', 'IBAN §'],
  ['(?:alpha|beta)-team', 'the beta-team', 'the §'],
  [String.raw`[\w.]+@example\.com`, 'mail to jo.doe@example.com', 'mail to §'],
]

describe('accepted', () => {
  it.each(ORDINARY)('%s', (pattern, text, expected) => {
    expect(problem(pattern)).toBeUndefined()
    expect(masked(text, { pattern })).toBe(expected)
  })

  it('takes small letters for capitals where asked', () => {
    expect(masked('mycorp-1', { pattern: String.raw`MYCORP-\d`, ignoreCase: true })).toBe('§')
  })
})

test('a match without an end in sight is refused, not cut', () => {
  expect(() => masked('id: aaaa', { pattern: 'id: a+' }, false)).toThrow(RangeError)
  expect(masked('id: aaaa', { pattern: 'id: a+' })).toBe('§')
})
