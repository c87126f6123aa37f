/** The `redaction` key: what is accepted, and what the refusal of the rest says. */
import { expect, test } from 'vitest'
import { parseRedaction } from '../../src/config/redaction.ts'

const RULE = { name: 'acme-key', pattern: 'acme_(?<secret>[0-9a-f]{32})' }

test('rules, names and files; of the environment as JSON', () => {
  const value = { rules: [{ ...RULE, ignoreCase: true }], names: ['Badge_Number'], files: ['/etc/app/secrets.env'] }
  const parsed = {
    rules: [{ ...RULE, ignoreCase: true }],
    names: ['badge_number'],
    files: ['/etc/app/secrets.env'],
  }
  expect(parseRedaction(value)).toEqual(parsed)
  expect(parseRedaction(JSON.stringify(value))).toEqual(parsed)
  expect(parseRedaction({ rules: [RULE] })).toEqual({ rules: [{ ...RULE, ignoreCase: false }], names: [], files: [] })
})

test.each<[unknown, string]>([
  [7, 'is not a mapping'],
  ['{', 'is not JSON'],
  [{ rule: [] }, 'has "rule", which is none of rules, names, files'],
  [{ rules: RULE }, 'has rules that are not a list'],
  [{ names: Array.from({ length: 65 }, () => 'badge') }, 'has more than 64 names'],
  [{ names: ['pin'] }, 'has "pin" in names, which is not accepted there'],
  [{ files: ['secrets.env'] }, 'has "secrets.env" in files, which is not accepted there'],
  [{ rules: [{ name: 'x' }] }, 'has a rule without name and pattern'],
  [{ rules: [{ ...RULE, flags: 'i' }] }, 'has a rule with "flags"; a rule has name, pattern and ignoreCase'],
  [{ rules: [{ ...RULE, name: 'Acme' }] }, 'has a rule that is refused: "Acme" is no name'],
  [{ rules: [{ ...RULE, pattern: '(' }] }, 'is no regular expression'],
  [{ rules: [{ ...RULE, pattern: 'a*' }] }, 'matches nothing at all'],
  // One way through in its own case, two without regard to it.
  [{ rules: [{ ...RULE, pattern: '(?:a|A)*b', ignoreCase: true }] }, 'could take for ever'],
])('%j is refused', (value, message) => expect(() => parseRedaction(value)).toThrow(message))
