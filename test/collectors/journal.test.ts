import { describe, expect, test } from 'vitest'
import journal from '../../collectors/journal.ts'
import { parseBoots, previousBoot } from '../../collectors/lib/journal-boots.ts'
import type { HostFacts, Interval } from '../../src/collector.ts'
import { described, fakeCommands, testKit, tree } from '../helpers/kit.ts'

const [OLD, MIDDLE, NEW] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string]
const LIST = `IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY
 -2 ${OLD} Thu 2026-01-01 00:00:00 UTC Thu 2026-01-01 12:00:00 UTC
 -1 ${MIDDLE} Fri 2026-01-02 00:00:00 UTC Fri 2026-01-02 12:00:00 UTC
  0 ${NEW} Fri 2026-01-02 12:01:00 UTC Fri 2026-01-02 13:00:00 UTC`

const window = (since: string, until: string): Interval[] => [
  { sinceMs: Date.parse(since), untilMs: Date.parse(until), reason: 'window' },
]

async function collected(
  options: {
    commands?: Record<string, string>
    files?: Record<string, string>
    host?: Partial<HostFacts>
    intervals?: Interval[]
  } = {},
) {
  const { commands = {}, files = {}, ...rest } = options
  const bin = await fakeCommands({ journalctl: '', systemctl: '', ...commands })
  return described(journal, testKit({ root: await tree(files), bin, ...rest }))
}

const listing = { journalctl: `case "$*" in *list-boots*) cat <<'END'\n${LIST}\nEND\n;; esac` }

describe('the boots of the journal', () => {
  test('are parsed in both layouts of journalctl', () => {
    const before252 = ` -1 ${MIDDLE} Fri 2026-01-02 00:00:00 UTC—Fri 2026-01-02 12:00:00 UTC`
    expect(parseBoots(before252)).toEqual([parseBoots(LIST)[1]])
    expect(parseBoots(LIST).map(({ offset, id }) => [offset, id])).toEqual([
      [-2, OLD],
      [-1, MIDDLE],
      [0, NEW],
    ])
    expect(parseBoots('')).toEqual([])
  })

  test('before this one: the newest other, also where this one left nothing in the journal', () => {
    const dashed = NEW.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    expect(previousBoot(parseBoots(LIST), dashed)?.id).toBe(MIDDLE)
    expect(previousBoot(parseBoots(LIST), 'another')?.id).toBe(NEW)
    expect(previousBoot([], dashed)).toBeUndefined()
  })

  test('are one log each, newest first, as far as they reach into the window', async () => {
    const intervals = window('2026-01-02T11:00:00Z', '2026-01-02T14:00:00Z')
    const { all } = await collected({ commands: listing, intervals })
    const boots = all.filter(({ name }) => name?.startsWith('boot-'))
    expect(boots.map(({ name, query }) => [name, query])).toEqual([
      ['boot-0.log', { boot: NEW }],
      ['boot-1.log', { boot: MIDDLE }],
    ])
  })

  test('that cannot be listed leave the window in one piece', async () => {
    const entries = await collected({ commands: { journalctl: 'exit 1' } })
    expect(entries.named('journal.log').query).toEqual({})
  })
})

describe('apart from the boots', () => {
  test('the last lines of each unit that failed or keeps failing, and the own unit', async () => {
    const systemctl = `case "$1" in
list-units) echo 'web.service loaded failed failed A web server';;
show) printf 'Id=calm.service\\nNRestarts=0\\n\\nId=loop.service\\nNRestarts=7\\n';;
esac`
    const entries = await collected({ commands: { systemctl } })
    expect(entries.named('failed-units/web.service.log').query).toEqual({ unit: 'web.service', lastLines: 200 })
    expect(entries.named('failed-units/loop.service.log').query).toEqual({ unit: 'loop.service', lastLines: 200 })
    expect(entries.named('diagd.log').query).toEqual({ unit: 'diagd.service' })
  })

  test('without systemd as PID 1 it is not asked for units', async () => {
    const entries = await collected({ commands: { systemctl: 'echo asked >&2; exit 1' }, host: { systemd: false } })
    expect(entries.names.filter((name) => name?.startsWith('failed-units'))).toEqual([])
    expect(entries.has('diagd.log')).toBe(false)
  })

  test('what journald dropped, summed up per service, worst first', async () => {
    const journalctl = `case "$*" in *Suppressed*) cat <<'END'
2026-01-02T12:00:00+0000 vm systemd-journald[1]: Suppressed 10 messages from small.service
2026-01-02T12:00:01+0000 vm systemd-journald[1]: Suppressed 400 messages from loud.service
2026-01-02T12:00:02+0000 vm systemd-journald[1]: Suppressed 200 messages from loud.service
END
;; esac`
    const files = { [`/var/log/journal/${OLD}/system.journal`]: '' }
    const entries = await collected({ commands: { journalctl }, files })
    expect(await entries.value('suppressed.txt')).toBe(
      '       600 messages in 2 bursts from 2026-01-02T12:00:01+0000 to 2026-01-02T12:00:02+0000: loud.service\n' +
        '        10 messages in 1 bursts from 2026-01-02T12:00:00+0000 to 2026-01-02T12:00:00+0000: small.service\n',
    )
  })

  test('nothing dropped, no journal and a broken journalctl are told apart', async () => {
    const files = { [`/var/log/journal/${OLD}/system.journal`]: '' }
    const none = await collected({ commands: { journalctl: 'exit 1' }, files })
    expect(await none.value('suppressed.txt')).toMatch(/^none/)
    expect(await (await collected()).value('suppressed.txt')).toMatch(/^unknown/)
    const broken = await collected({ commands: { journalctl: 'echo oh no >&2; exit 1' }, files })
    await expect(broken.value('suppressed.txt')).rejects.toThrow('journalctl: oh no')
  })

  test('who may not read the journal is not told that nothing was dropped', async () => {
    const journalctl = `echo 'Hint: You are currently not seeing messages from other users and the system.' >&2`
    const files = { [`/var/log/journal/${OLD}/system.journal`]: '' }
    const entries = await collected({ commands: { journalctl }, files, host: { uid: 1000 } })
    expect(entries.named('suppressed.txt').reason).toContain('needs root')
  })

  test('the files, and how many of them journald set aside', async () => {
    const folder = `/var/log/journal/${OLD}`
    const files = { [`${folder}/system.journal`]: '12345', [`${folder}/system@1-2.journal~`]: '' }
    const text = String(await (await collected({ files })).value('files.txt'))
    expect(text).toMatch(/^2 files, 1 set aside by journald/)
    expect(text).toMatch(/^ +5 {2}\d{4}-\S+Z {2}\/var\/log\/journal\/a+\/system\.journal$/m)
  })

  test('the configuration of journald', async () => {
    const files = { '/etc/systemd/journald.conf.d/10-size.conf': '[Journal]\n' }
    const entries = await collected({ files })
    expect(entries.has('config/systemd/journald.conf.d/10-size.conf')).toBe(true)
  })
})
