import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadDropIns } from '../src/collect/drop-ins.ts'
import { loadExtras } from '../src/collect/extras.ts'
import { described, testKit, tree } from './helpers/kit.ts'

test('the example of a collector is accepted as a drop-in, and describes what it says', async () => {
  const { collectors, problems } = await loadDropIns(await copyOf('collectors.d'), ownUid, new Set())
  expect(problems).toEqual([])
  expect(collectors.map(({ id }) => id)).toEqual(['example'])
  const kit = testKit({
    root: await tree({ '/etc/postgresql/17/main/pg.conf': '', '/usr/lib/postgresql/17/bin/psql': '' }),
  })
  const entries = await described(collectors[0]!.collector, kit)
  expect(entries.commands).toEqual(['pg_isready --port=5432'])
  expect(await entries.value('versions.txt')).toBe('17\n')
})

test('every line of the example of extras is understood', async () => {
  const { collectors, problems } = await loadExtras(await copyOf('extras.d'), ownUid)
  expect(problems).toEqual([])
  expect(collectors.map(({ id }) => id)).toEqual(['extras/example'])
  const entries = await described(collectors[0]!.collector, testKit({ root: await tree({}) }))
  expect(entries.paths).toEqual(['/var/log/myapp/*.log*'])
  expect(entries.commands).toContain('curl -sS --max-time 5 http://127.0.0.1:8080/health')
  expect(entries.names).toContain('myapp.service.log')
})

const ownUid = process.getuid!()

/** A copy of whoever runs the test, for nobody else to write: a checkout may be otherwise, and is refused for it. */
async function copyOf(folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'diagd-examples-'))
  onTestFinished(() => rm(copy, { recursive: true, force: true }))
  await cp(join(import.meta.dirname, '..', 'examples', folder), copy, { recursive: true })
  await chmod(copy, 0o755)
  for (const name of await readdir(copy)) await chmod(join(copy, name), 0o644)
  return copy
}
