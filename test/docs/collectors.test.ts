import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadRegistry } from '../../src/collect/registry.ts'

const docs = await readFile(new URL('../../docs/collectors.md', import.meta.url), 'utf8')

test('no drop-in takes a name that docs/collectors.md calls reserved, nor that of a built-in', async () => {
  const names = [
    ...docs
      .split('belongs to the bundle')[1]!
      .split(')')[0]!
      .matchAll(/`([a-z]+)`/g),
  ].map(([, name]) => name!)
  expect(names).toContain('manifest')
  const folder = await configuration([...names, 'kernel', 'mine'])
  const { collectors, problems } = await loadRegistry(folder, process.geteuid!())
  expect(problems.map((problem) => /"([a-z]+)" is taken/.exec(problem)?.[1])).toEqual([...names, 'kernel'].toSorted())
  expect(collectors.at(-1)!.id).toBe('mine')
})

async function configuration(dropIns: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-docs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'collectors.d'), { mode: 0o755 })
  for (const id of dropIns) {
    const text = "export default { title: 'mine', tier: 'facts', *collect() {} }\n"
    await writeFile(join(folder, 'collectors.d', `${id}.mjs`), text, { mode: 0o644 })
  }
  return folder
}
