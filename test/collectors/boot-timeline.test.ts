/** The boot timeline as the collector makes it: what it asks of the machine, and what it does without an answer. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import boot from '../../collectors/boot.ts'
import type { Timeline } from '../../collectors/lib/boot-timeline/types.ts'
import { journalLine, START_MS } from '../helpers/boot.ts'
import { described, fakeCommands, fixture, recordedEngine, testKit, tree } from '../helpers/kit.ts'

const THIS = 'e6827f09d9494b15bf3d506281a56898'
const LAST = 'c'.repeat(32)
const host = { bootId: 'e6827f09-d949-4b15-bf3d-506281a56898' }
const LIST = [
  ` -1 ${LAST} Sat 2026-11-21 10:00:00 UTC—Sat 2026-11-21 16:00:00 UTC`,
  `  0 ${THIS} Sat 2026-11-21 16:46:58 UTC—Sat 2026-11-21 16:47:10 UTC`,
].join('\n')

const recorded = (file: string) => fixture('boot', 'first-boot', file)

/** journalctl of a machine with the recorded boot, and one before it; it keeps a list of what it was asked. */
const journalctl = (asked: string) => `echo "$*" >>${asked}
case "$*" in
*list-boots*) echo '${LIST}' ;;
*${LAST}*--grep*) exit 1 ;;
*${LAST}*--since=@1795255200*) printf '%s' '${journalLine(9000, 'starting', { UNIT: 'slow.service' }, Date.UTC(2026, 10, 21, 10, 0, 9))}' ;;
*${THIS}*-n\\ 1) tail -n 1 ${recorded('journal.json')} ;;
*${THIS}*--grep*) grep PHASE ${recorded('journal.json')} ;;
*${THIS}*) grep -v PHASE ${recorded('journal.json')} ;;
esac`

const systemctl = `case "$*" in
*'-- *') cat ${recorded('units.txt')} ;;
*UserspaceTimestampMonotonic*) cat ${recorded('manager.txt')} ;;
esac`

test('from the journal, systemd, cloud-init and the engine: a table, a picture, data, and a table of the boot before', async () => {
  const root = await tree({
    '/var/log/cloud-init.log': readFileSync(recorded('cloud-init.log'), 'utf8'),
    '/asked': '',
    '/proc/uptime': '1 1\n',
  })
  const bin = await fakeCommands({
    journalctl: journalctl(`${root}/asked`),
    systemctl,
    tail: `exec /usr/bin/tail "$1" -- "${root}$3"`,
  })
  const id = '1b267832cc6a3ec8182b95daaa33e0ebb9924f5ea667b5fe94340ea3f69e4c90'
  const engine = recordedEngine({
    '/containers/json?all=1&limit=50': [{ Id: id }],
    [`/containers/${id}/json`]: { Id: id, Name: '/web', State: { StartedAt: '2026-11-21T16:47:09.404593641Z' } },
  })
  const kit = testKit({ root, bin, host, engines: { present: [engine], absent: [] } })
  const entries = await described(boot, kit)

  const timeline = (await entries.value('timeline.json')) as Timeline
  expect(timeline.sources.filter(({ present }) => !present).map(({ source }) => source)).toEqual([
    'kernel',
    'provision',
  ])
  expect(timeline.steps).toContainEqual(expect.objectContaining({ name: 'web', source: 'container' }))
  expect(timeline.findings.map(({ id: finding }) => finding)).toEqual([
    'started-before-installed',
    'started-before-installed',
    'restart-took-down',
    'never-ended',
  ])
  expect(await entries.value('timeline.txt')).toMatch(/^! agent\.service was started at/m)
  expect(await entries.value('timeline.svg')).toMatch(/^<svg /)
  expect(await entries.value('previous-timeline.txt')).toMatch(/^slow\.service +NEVER ENDED/m)

  const asked = readFileSync(`${root}/asked`, 'utf8').split('\n')
  const units = asked.filter((line) => line.includes(THIS) && line.includes('_PID=1'))
  // Also those of the time after the clock was set: the clock of the recorded machine is its host's.
  expect(units).toHaveLength(4)
  expect(units[0]).toMatch(/--since=@1795279618\.000 --until=@1795280518\.000 --lines=6000 _PID=1 MESSAGE_ID=/)
  expect(units.every((line) => line.includes('--output-fields=MESSAGE,'))).toBe(true)
})

test('a machine that tells nothing gets a timeline of nothing, with the reasons', async () => {
  const kit = testKit({ root: await tree({ '/proc/uptime': '100.5 1\n' }), host: { ...host, systemd: false } })
  const entries = await described(boot, kit)
  const { sources, steps, bootId } = (await entries.value('timeline.json')) as Timeline
  expect([bootId, steps]).toEqual([THIS, []])
  const said = Object.fromEntries(sources.map(({ source, detail }) => [source, detail]))
  expect(said).toMatchObject({
    journal: 'the command journalctl is not installed',
    systemd: 'PID 1 is not systemd',
    'cloud-init': '/var/log/cloud-init.log does not exist',
  })
  expect(entries.has('previous-timeline.txt')).toBe(false)
})

test('journalctl that fails to find announcements costs the phases only', async () => {
  const script = `case "$*" in
*list-boots*) echo '${LIST}' ;;
*--grep*) yes | head -c 5000000 ;;
*) printf '%s' '${journalLine(5000, 'started', { UNIT: 'a.service' }, START_MS)}' ;;
esac`
  const kit = testKit({ root: await tree({}), bin: await fakeCommands({ journalctl: script }), host })
  const { sources, steps } = (await (await described(boot, kit)).value('timeline.json')) as Timeline
  expect(steps.map(({ name }) => name)).toEqual(['a.service'])
  expect(sources.find(({ source }) => source === 'phase')?.detail).toMatch(/^not looked for to the end: .*journalctl/)
})
