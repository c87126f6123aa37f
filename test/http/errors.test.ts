import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ERRORS } from '../../src/http/errors.ts'

test('docs/errors.md has the codes, states and titles of the code, and no others', async () => {
  const docs = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const documented = docs
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    )
  const known = Object.entries(ERRORS).map(([code, { status, title }]) => [`\`${code}\``, String(status), title])
  expect(documented).toEqual(known)
})
