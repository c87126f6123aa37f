/** Patterns that could take for ever are told from those that only look like it. */
import { describe, expect, it, test } from 'vitest'
import { couldHang } from '../../src/redact/could-hang.ts'

/** A repetition in a repetition, side by side, counted, or of alternatives: many ways through one text. */
const MANY_WAYS = [
  '(a+)+$',
  '(a*)*b',
  '(a|a)*b',
  '(.*a){20}',
  String.raw`\d+\d+x`,
  '.*.*x',
  '.*a.*a.*b',
  String.raw`\w+\d+x`,
  '[a-z]+[a-f]+x',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(x+x+)+y',
  '(?:a+){2,}b',
  String.raw`(\s*\w+\s*)*=`,
  '(?:.|a)+b',
  '((a)|(a))*b',
  '(?<x>a+)+b',
  '(?<=x)(a+)+b',
  '(a?){20}b',
  'a{1,50}a{1,50}a{1,50}b',
  `${'a?'.repeat(24)}b`,
  '(?:a{1,9}){1,9}b',
  'x(?:a?){30}b',
  String.raw`id=(\w+-?)*;`,
  'key: (a|b|ab)+;',
  String.raw`^(\w+\s?)*$`,
  String.raw`^\d+(?:\d+)*$`,
  '(?:aa|aaa)+b',
  '^(?:..)*(?:.|d)(?:(?:db)*|cc[ab])[ab]a(?:b.)?(?:[bc]|c)..cd$',
  '(?:.,?)*foo',
  '(?:ab|a|b){12,}c',
  'x.*y.*z.*w',
  '(?!(a+)+b)x',
  '(?=(?:a+)+b)x',
  '(?:a|a?){18}b',
  String.raw`k(\w+)(?:\1)*\w+z`,
  '<(?:[^>]|x)*>{2}',
  '(?:[a-c]|[b-d]){1,30}z',
  'q(.{1,60}){1,4}z',
  '(?:a?|b?){20}c',
  '(?:|){30}x',
  '(?i:[a-z]+[A-Z]+)x',
  '[a-m]+\u00e4?[k-z]+x',
]

/** From wherever a match could begin, to the end of the line. */
const LONG_LINE = [
  '.*foo',
  '[^]*x',
  '.+@corp',
  '(?:.*)foo',
  '.{1000,}x',
  '(?<=")[^;]*;',
  '^a|.*foo',
  String.raw`\b.*foo`,
]

const TOO_LARGE = ['a{2001}', '(?:a{0,1000}){2}x', '(?:a?){2000}', '.{0,5000}x', '(?:[0-9a-f]{100}){100}']

const ORDINARY = [
  'x(?:aab|aac|aad|aae|aaf|aag|aah|aai|aaj|aak|aal|aam|aan|aao)+;',
  '(?<=ticket: ).*x',
  String.raw`(?: ?\d{4}){4}`,
  String.raw`\d+(?:\.\d+)*x`,
  'MYCORP-[0-9]{8}',
  String.raw`(?<=key=)[A-Z]{3}\d+`,
  String.raw`internal\.example\.com`,
  String.raw`customer (?<secret>\d+)`,
  '^ticket: .+$',
  '^.*token-x',
  String.raw`^\s*secret`,
  String.raw`\b[A-Z]{2}\d{2}(?: \d{4}){4}`,
  '(?:alpha|beta)-team',
  'acme_(?<secret>[0-9a-f]{32})',
  '(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])',
  '[0-9a-f]{1024}',
  '(?:(?:(?:a{10}){10}){10}){2}',
  '(?:a{0,2}b){500}',
  'x{0}y',
  '^[^x]{3,}x',
  'key (?<secret>[A-Za-z0-9+/]+={0,2})',
  String.raw`\b(?:\d{1,3}\.){3}\d{1,3}\b`,
  String.raw`user="(?<secret>(?:[^"\\]|\\.)*)"`,
  String.raw`v\d+(?:\.\d+)*`,
  'x(?:-[a-z]+)*;',
  '[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}',
  String.raw`\bproj-[a-z0-9]{4}(?:-[a-z0-9]{4}){3}\b`,
  String.raw`(?:cust|client)_id[=:]\s*(?<secret>[A-Z0-9]{6,12})`,
  String.raw`(['"])(?<secret>.{1,80}?)\1`,
  String.raw`ticket #\d+, room \d+`,
  'a?b?c?d?e',
  '(a|ab)*c',
  'q(?:a|b|c)+;',
  '(?=x)xyz',
  String.raw`(?:\b){99999999}b`,
  String.raw`(a\1)+b`,
  String.raw`\bT-\d+-\d+-\d+`,
  String.raw`[\w.]+@example\.com`,
  String.raw`[\w.]{1,64}@example\.com`,
  'lic-(?:[0-9A-F]{5}-?){5}',
  '(?i:[a-z]+)(?-i:[A-Z])-x',
  '[a-z]+[A-Z]+;',
]

test('the tables are long enough to tell anything', () => {
  expect(MANY_WAYS.length + LONG_LINE.length).toBeGreaterThan(40)
  expect(ORDINARY.length).toBeGreaterThan(30)
})

describe('refused', () => {
  it.each(MANY_WAYS)('%s: many ways', (pattern) =>
    expect(couldHang(pattern)).toContain('could take for ever on a text like'),
  )
  it.each(LONG_LINE)('%s: a long line', (pattern) =>
    expect(couldHang(pattern)).toContain('could take for ever on a long line'),
  )
  it.each(TOO_LARGE)('%s: too large', (pattern) => expect(couldHang(pattern)).toContain('is too large to be judged'))
  it('what only small and capital letters keep apart, where they are the same', () => {
    expect(couldHang('[a-z]+[A-Z]+;', true)).toContain('could take for ever')
    expect(couldHang('(?-i:[a-z]+[A-Z]+);', true)).toBeUndefined()
  })
})

describe('accepted', () => {
  it.each(ORDINARY)('%s', (pattern) => expect(couldHang(pattern)).toBeUndefined())
})

describe('what it says', () => {
  it('names the repetitions, a text, and what is accepted', () => {
    expect(couldHang(String.raw`id \w+\d{1,}!`)).toBe(
      String.raw`could take for ever on a text like "id a00000000000000000000…": \d{1,} and \w+ can match it in too many ways. ` +
        String.raw`Accepted is what leaves one way: \w+-\d+ instead of \w+\d+, (?:a+,)+ instead of (?:a+)+, a{8} instead of (?:a?){8}`,
    )
    expect(couldHang('.*secret')).toBe(
      'could take for ever on a long line: from wherever it begins, .* goes on to the end. ' +
        'Accepted is a pattern that begins with ^ or with what seldom occurs, and goes on to something near: [^"]{1,100} instead of .*',
    )
  })
})
