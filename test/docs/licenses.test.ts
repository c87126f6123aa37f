import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { lockProblems, shippedPackages, type Lock } from '../../docs/licenses.ts'

const lock = JSON.parse(await read('package-lock.json')) as Lock
const GOOD = { version: '1.0.0', integrity: 'sha512-AA==', license: 'MIT' }

test('all that diagd brings along has a permissive licence, comes from the registry and runs nothing when installed', () => {
  expect(shippedPackages(lock).map(({ name }) => name)).toEqual(expect.arrayContaining(['fastify', 'age-encryption']))
  expect(lockProblems(lock)).toEqual([])
})

test('what is installed says of itself what the lockfile says', async () => {
  for (const { path, version, license, optional } of shippedPackages(lock)) {
    const text = await read(`${path}/package.json`).catch((error: Error) => {
      if (!optional) throw error
    })
    if (text !== undefined) expect({ path, ...(JSON.parse(text) as object) }).toMatchObject({ path, version, license })
  }
})

test('what only development needs is not shipped', () => {
  expect(shippedPackages(lock).map(({ name }) => name)).not.toContain('vitest')
})

test.each([
  [{ ...GOOD, license: 'GPL-3.0-only' }, 'node_modules/a has the licence "GPL-3.0-only"; accepted: 0BSD, Apache-2.0,'],
  [{ ...GOOD, license: 'MIT AND SSPL-1.0' }, 'has the licence "MIT AND SSPL-1.0"'],
  [{ version: '1.0.0', integrity: 'sha512-AA==' }, 'has the licence "none named"'],
  [{ ...GOOD, hasInstallScript: true }, 'node_modules/a has an install script'],
  [{ ...GOOD, dev: true, hasInstallScript: true }, 'node_modules/a has an install script'],
  [{ ...GOOD, resolved: 'git+ssh://git@example.org/a.git#1' }, 'does not come from the registry'],
  [{ ...GOOD, resolved: 'https://registry.npmjs.org.example.org/a.tgz' }, 'does not come from the registry'],
  [{ version: '1.0.0', license: 'MIT' }, 'does not come from the registry'],
  [{ ...GOOD, link: true }, 'does not come from the registry'],
])('refuses %j', (locked, problem) => {
  const problems = lockProblems({ packages: { '': {}, 'node_modules/a': locked } })
  expect(problems).toEqual([expect.stringContaining(problem)])
})

test.each(['MIT', '(MIT OR GPL-2.0)', 'BSD-3-Clause AND MIT'])('accepts %s', (license) => {
  expect(lockProblems({ packages: { '': {}, 'node_modules/a': { ...GOOD, license } } })).toEqual([])
})

function read(path: string): Promise<string> {
  return readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
}
