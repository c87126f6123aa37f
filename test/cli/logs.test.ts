import { once } from 'node:events'
import { expect, test } from 'vitest'
import { run, start } from '../helpers/cli.ts'
import { ownFolder } from '../helpers/daemon.ts'

/** Of this machine: what it has in its logs is not known here, only that the command works. */
const here = () => ({ cwd: ownFolder() })

interface Line {
  readonly time: string
  readonly source: string
  readonly cursor: string
}

test('the newest lines of this machine are shown in order of time, as columns or as JSON', async () => {
  const { code, stdout } = await run(['logs', '-n', '5', '--json'], here())
  expect(code).toBe(0)
  const lines = stdout
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
  expect(lines.length).toBeLessThanOrEqual(5)
  expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).toSorted())
  for (const { cursor } of lines) expect(cursor).toMatch(/^1b\./)
})

test('what is not there is said where there is nothing else to show', async () => {
  const { code, stdout, stderr } = await run(['logs', '--unit', 'no-such-unit-anywhere'], here())
  expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: '' })
  // Where this machine has a journal, nothing is missing: it has no such line.
  expect(stderr).toMatch(/^(?:… diagd: no journal: .* …\n)?$/)
})

test('--follow goes on until Ctrl-C', async () => {
  const { child, ended } = start(['logs', '-f', '-n', '1', '--source', 'journal'], here())
  // A line, or that there is no journal: one of both is said.
  await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data')])
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
})

test.each([
  [['-n', '0'], 'lines: "0" does not fit; accepted: whole numbers from 1 to 10000'],
  [['--level', 'loud'], 'level: "loud" is none of those accepted: debug'],
  [['--source', 'journal,syslog'], 'source: "syslog" is none of those accepted: journal'],
  [['--since', 'soon'], 'since: "soon" is not a time after 1970'],
  [['--unit', 'a b'], 'unit: "a b" is not a unit'],
  [['-f', '--until', '1h'], 'until: does not go together with --follow'],
  [['-f', '-n', '3', '--since', '1h'], 'lines: does not go together with since'],
  [['--search', ''], 'search: has 0 characters; accepted: 1 to 256'],
])('%j is refused', async (args, words) => {
  const { code, stderr } = await run(['logs', ...args], here())
  expect(code).toBe(2)
  expect(stderr).toContain(`diagd: --${words}`)
})
