/** Secrets longer than what can be looked ahead at, and input made to be slow. */
import { expect, it } from 'vitest'
import { maskAll, random, shapeOf } from './mask-all.ts'

const small = { block: 4096, ahead: 2048 }

it('masks a token that is longer than a stretch, to its end', () => {
  const masked = maskAll(`a ghp_${random(20_000)} b`, small)
  expect(shapeOf(masked)).toMatch(/^a (?:<masked:github-token:#>)+ b$/)
})

it('masks a key of many lines through stretches, and keeps its lines', () => {
  const lines = Array.from({ length: 200 }, () => random(64))
  const text = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\nafter it\n`
  for (const first of [10, 30, 2000, 4096]) {
    const masked = shapeOf(maskAll(text, { ...small, first }))
    expect(masked).toBe(
      `-----BEGIN PRIVATE KEY-----\n${'<masked:private-key:#>\n'.repeat(200)}-----END PRIVATE KEY-----\nafter it\n`,
    )
  }
})

it.each([
  ['a key on one line', '{"k":"-----BEGIN PRIVATE KEY-----\\n', '\\n-----END PRIVATE KEY-----"} end'],
  ['a key in base64', `key: ${Buffer.from('-----BEGIN PRIVATE KEY-----\nMI').toString('base64')}`, '\nend'],
  ['a part of MIME', 'Content-Transfer-Encoding: base64\n\n', '\n\nend'],
  ['binary of YAML', 'a: !!binary ', '\nend'],
  ['binary of YAML in a block', 'a: !!binary |\n  ', '\nend'],
  ['a credential', 'Authorization: Bearer ', '\nend'],
  ['a cookie', 'Cookie: a=', '; c=d\nend'],
])('masks %s of 20 kB through stretches', (_, before, after) => {
  const secret = random(20_000)
  const text = before + secret + after
  for (const first of [5, 40, 4096]) {
    const masked = maskAll(text, { ...small, first })
    for (let at = 0; at < secret.length; at += 100) expect(masked).not.toContain(secret.slice(at, at + 12))
    expect(masked.endsWith('end')).toBe(true)
  }
})

it.each([
  ['beginnings of keys', '-----BEGIN PRIVATE KEY-----\n'],
  ['beginnings of keys on one line', '-----BEGIN PRIVATE KEY-----\\n'],
  ['beginnings of tokens', 'glpat-'],
  ['heads of JWT', 'eyJhbGci.'],
  ['colons and slashes', 'a://a:'],
  ['headers', 'cookie: a=b; authorization: digest '],
  ['dollars', '$6$a'],
  ['hash of dollars', '$y$aaaaaaaa'],
  ['queries', '?sig=&token='],
  ['letters', 'A'],
  ['encodings', '{"content": "abcdefgh'],
  ['empty lines', '\n'],
  ['names', 'password: '],
  ['names of names', 'password='],
  ['here-documents', 'chpasswd <<EOF\na:b\n'],
  ['lists in lists', 'tokens=["a",'],
  ['bare lists in lists', 'tokens=[a,'],
  ['objects in objects', '"secret":{"value":'],
  ['flags of lists', '"--password",\n'],
  ['blocks in a string', 'password: |\\n  '],
  ['backslashes', 'password: \\\\\\'],
])(
  'goes through %s without an end',
  (_, piece) => {
    const text = piece.repeat(Math.ceil(300_000 / piece.length))
    expect(maskAll(text, { block: 256 * 1024 }).length).toBeGreaterThan(0)
  },
  20_000,
)
