import { expect, test } from 'vitest'
import { renderDocuments, withParts } from '../../docs/generate.ts'

test('the generated parts of the docs are as `npm run docs` writes them', async () => {
  const documents = await renderDocuments()
  expect(documents.map(({ path }) => path)).toContain('README.md')
  for (const { path, before, after } of documents) expect(before, `${path}: run npm run docs`).toBe(after)
})

test('every built-in collector and every never-read pattern is in the README', async () => {
  const readme = (await renderDocuments()).find(({ path }) => path === 'README.md')!.after
  expect(readme).toContain('| `cloud-init` | cloud-init: ')
  expect(readme).toContain('`--only docker-usage`')
  expect(readme).toContain('| `/proc/kmsg` |')
})

test('what stands between the markers is replaced, all around it stays', () => {
  const text = 'a\n<!-- generated: x -->\nold\n<!-- /generated -->\nb\n<!-- generated: y -->\n<!-- /generated -->\nc\n'
  expect(withParts(text, { x: 'new\n', y: 'two\n' })).toBe(
    'a\n<!-- generated: x -->\nnew\n<!-- /generated -->\nb\n<!-- generated: y -->\ntwo\n<!-- /generated -->\nc\n',
  )
})

test('a marker that nothing is generated for, or that is not closed, is refused by name', () => {
  expect(() => withParts('<!-- generated: z -->\n<!-- /generated -->\n', {})).toThrow('"z"')
  expect(() => withParts('<!-- generated: x -->\nold\n', { x: '' })).toThrow('not closed')
})
