import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const top = fileURLToPath(new URL('../../', import.meta.url))
const documents = globSync(['*.md', '{docs,collectors,examples}/**/*.md'], { cwd: top })

test.each(documents)('every relative link in %s leads somewhere', async (path) => {
  const text = await readFile(join(top, path), 'utf8')
  for (const target of linksOf(text)) {
    const [file = '', anchor] = target.split('#')
    const place = file === '' ? join(top, path) : join(top, dirname(path), file)
    expect(existsSync(place), `${path} links to ${target}`).toBe(true)
    if (anchor !== undefined)
      expect(anchorsOf(await readFile(place, 'utf8')), `${path} links to ${target}`).toContain(anchor)
  }
})

test('the documents that people are sent to are among them', () => {
  expect(documents).toEqual(
    expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/bundle.md', 'collectors/README.md']),
  )
})

function linksOf(text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^\w+:/.test(target))
}

/** As GitHub makes them: lower case, spaces to dashes, nothing else but letters, digits, dashes and underscores. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
