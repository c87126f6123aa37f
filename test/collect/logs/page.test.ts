import { appendFileSync, renameSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { canMakeJournals } from '../../record/helpers/journals.ts'
import { testRedaction } from '../../helpers/make-bundle.ts'
import { cloudInit, entry, machine, messages } from './kit.ts'

const SECOND = 1_000_000

describe.skipIf(!canMakeJournals)('a page of the logs', () => {
  test('has the lines of all sources by time, with all that is known of them', async () => {
    const { journal, file, page } = machine()
    journal([
      entry(0, 'first', { PRIORITY: '3' }),
      entry(2 * SECOND + 5, 'third', { _PID: '1', UNIT: 'web.service', _SYSTEMD_UNIT: 'init.scope' }),
    ])
    file('var/log/cloud-init.log', cloudInit(1000, 'second', 'WARNING') + cloudInit(3000, 'fourth'))
    const { lines, ended, looked, problems } = await page({ order: 'oldest' })
    expect(lines).toEqual([
      {
        time: '2026-06-15T12:00:00.000000Z',
        source: 'journal',
        level: 'error',
        unit: 'app.service',
        identifier: 'app',
        pid: 812,
        message: 'first',
        cursor: expect.any(String) as string,
      },
      {
        time: '2026-06-15T12:00:01.000000Z',
        source: 'cloud-init',
        level: 'warning',
        file: 'cloud-init.log',
        message: 'util.py[WARNING]: second',
        cursor: expect.any(String) as string,
      },
      expect.objectContaining({ time: '2026-06-15T12:00:02.000005Z', unit: 'web.service', message: 'third' }),
      expect.objectContaining({ level: 'debug', message: 'util.py[DEBUG]: fourth' }),
    ])
    expect({ ended, looked }).toEqual({ ended: 'end', looked: 4 })
    expect(problems).toEqual([
      {
        source: '/var/log/cloud-init-output.log',
        message: '/var/log/cloud-init-output.log does not exist',
        absent: true,
      },
    ])
  })

  test('is the newest first unless told otherwise', async () => {
    const { journal, page } = machine()
    journal(Array.from({ length: 30 }, (_, index) => entry(index * SECOND, `line ${index}`)))
    const { lines, ended } = await page({ limit: '3' })
    expect(messages(lines)).toEqual(['line 29', 'line 28', 'line 27'])
    expect(ended).toBe('limit')
  })

  test.each(['newest', 'oldest'])(
    'leads to the next, each line once, many of the same microsecond: %s',
    async (order) => {
      const { journal, file, pages } = machine()
      // Ten of each microsecond, and the same text again and again.
      journal(Array.from({ length: 400 }, (_, index) => entry(Math.floor(index / 10), `line ${index % 7}`)))
      file('var/log/cloud-init.log', Array.from({ length: 300 }, (_, index) => cloudInit(0, `cloud ${index}`)).join(''))
      const whole = await pages({ order, limit: '10000' })
      const parts = await pages({ order, limit: '37' })
      expect(whole).toHaveLength(700)
      expect(messages(parts)).toEqual(messages(whole))
      if (order === 'oldest') return
      expect(messages(whole.toReversed())).toEqual(messages(await pages({ order: 'oldest' })))
    },
  )

  test('goes on where it was, whatever was appended and rotated since', async () => {
    const { root, journal, file, page, pages } = machine()
    const first = journal(Array.from({ length: 20 }, (_, index) => entry(index * SECOND, `old ${index}`)))
    const log = file('var/log/cloud-init.log', cloudInit(500, 'cloud 1') + cloudInit(1500, 'cloud 2'))
    const forward = await page({ order: 'oldest', limit: '4' })
    const backward = await page({ limit: '4' })
    expect(messages(forward.lines)).toEqual(['old 0', 'util.py[DEBUG]: cloud 1', 'old 1', 'util.py[DEBUG]: cloud 2'])
    // As journald does it, and logrotate.
    renameSync(first, first.replace('system', 'system@1'))
    journal([entry(30 * SECOND, 'new 1'), entry(31 * SECOND, 'new 2')])
    renameSync(log, `${log}.1`)
    file('var/log/cloud-init.log', cloudInit(30_500, 'cloud 3'))
    appendFileSync(`${root}/var/log/cloud-init.log.1`, cloudInit(1600, 'late'))
    const rest = messages(await pages({ order: 'oldest', cursor: forward.cursor!, limit: '5' }))
    expect(rest).toEqual([
      'util.py[DEBUG]: late',
      ...Array.from({ length: 18 }, (_, index) => `old ${index + 2}`),
      'new 1',
      'util.py[DEBUG]: cloud 3',
      'new 2',
    ])
    const older = messages(await pages({ cursor: backward.cursor!, limit: '5' }))
    expect(older.slice(0, 3)).toEqual(['old 15', 'old 14', 'old 13'])
    expect(older).toHaveLength(19)
  })

  test('goes on by time where the line of the cursor is gone', async () => {
    const { journal, page, pages } = machine()
    const first = journal([entry(0, 'gone 1'), entry(SECOND, 'gone 2'), entry(2 * SECOND, 'gone 3')])
    const { cursor } = await page({ order: 'oldest', limit: '2' })
    rmSync(first)
    journal(
      [
        entry(500, 'before', { __MONOTONIC_TIMESTAMP: '1' }),
        entry(3 * SECOND, 'after 1'),
        entry(4 * SECOND, 'after 2'),
      ],
      'other',
    )
    expect(messages(await pages({ order: 'oldest', cursor: cursor! }))).toEqual(['after 1', 'after 2'])
  })

  test('a cursor that led to the end shows what was added since', async () => {
    const { journal, file, pages } = machine()
    journal([entry(0, 'one')])
    file('var/log/cloud-init.log', cloudInit(0, 'cloud'))
    let cursor: string | undefined
    expect(await pages({ order: 'oldest' }, (page) => (cursor = page.cursor))).toHaveLength(2)
    expect(await pages({ order: 'oldest', cursor: cursor! })).toEqual([])
    journal([entry(5 * SECOND, 'two')])
    expect(messages(await pages({ order: 'oldest', cursor: cursor! }))).toEqual(['two'])
  })

  test.each([
    [{ level: 'warning' }, ['kernel: bad', 'util.py[WARNING]: odd']],
    [{ level: 'critical' }, ['kernel: bad']],
    [{ unit: 'web' }, ['started web', 'served']],
    [{ unit: 'web.service,app.service' }, ['hello', 'started web', 'served']],
    [{ container: 'box' }, ['in the box']],
    [{ container: 'd'.repeat(12), unit: 'app' }, ['hello', 'in the box']],
    [{ source: 'cloud-init' }, ['util.py[WARNING]: odd']],
    [{ search: 'HELLO' }, ['hello']],
    [{ search: '.' }, ['util.py[WARNING]: odd']],
    [{ since: '2026-06-15T12:00:02Z', until: '2026-06-15T12:00:03Z' }, ['served', 'in the box']],
  ])('%j', async (parameters, expected) => {
    const { journal, file, pages } = machine()
    const web = { _SYSTEMD_UNIT: 'web.service' }
    journal([
      entry(0, 'hello'),
      entry(SECOND, 'started web', { _PID: '1', _SYSTEMD_UNIT: 'init.scope', UNIT: 'web.service' }),
      entry(2 * SECOND, 'served', web),
      entry(3 * SECOND, 'in the box', {
        _SYSTEMD_UNIT: 'docker.service',
        CONTAINER_NAME: 'box',
        CONTAINER_ID: 'd'.repeat(12),
        CONTAINER_ID_FULL: 'd'.repeat(64),
      }),
      entry(4 * SECOND, 'kernel: bad', { _TRANSPORT: 'kernel', PRIORITY: '0', _SYSTEMD_UNIT: 'kernel' }),
    ])
    file('var/log/cloud-init.log', cloudInit(9000, 'odd', 'WARNING'))
    expect(messages(await pages({ order: 'oldest', ...parameters }))).toEqual(expected)
  })

  test('a message of many lines is one, and one that is too long is cut and says by how much', async () => {
    const { journal, page } = machine()
    journal([entry(0, 'one\ntwo\n\nfour'), entry(1, 'x'.repeat(100_000)), entry(2, 'é'.repeat(30_000))])
    const [first, second, third] = (await page({ order: 'oldest' })).lines
    expect(first!.message).toBe('one\ntwo\n\nfour')
    expect(second).toMatchObject({ message: 'x'.repeat(16 * 1024), cutBytes: 100_000 - 16 * 1024 })
    expect(third).toMatchObject({ message: 'é'.repeat(16 * 1024), cutBytes: 60_000 - 32 * 1024 })
  })

  test('what cannot be text comes as far as it is', async () => {
    const { journal, page } = machine()
    journal([entry(0, 'tab\tbell\u0007escape\u001b[31m')])
    expect(messages((await page()).lines)).toEqual(['tab\tbell\u0007escape\u001b[31m'])
  })

  test('where there is nothing, it says what is not there', async () => {
    const { page } = machine()
    const { lines, problems, ended } = await page()
    expect({ lines, ended }).toEqual({ lines: [], ended: 'end' })
    expect(problems).toContainEqual({
      source: 'journal',
      message: 'no journal: no journal file under /run/log/journal or /var/log/journal',
      absent: true,
    })
  })

  test('where a journalctl hangs, the other sources are there, and it is said', async () => {
    const { file, journal, root } = machine()
    journal([entry(0, 'never seen')])
    file('var/log/cloud-init.log', cloudInit(0, 'there'))
    const { fakeCommands } = await import('../../helpers/kit.ts')
    const hanging = machine({ root, path: await fakeCommands({ journalctl: 'exec /bin/sleep 1000' }) }, {})
    const { lines, problems } = await hanging.page()
    expect(messages(lines)).toEqual(['util.py[DEBUG]: there'])
    expect(problems).toContainEqual({ source: 'journal', message: 'journalctl: said nothing for 5 s' })
  })
})

describe.skipIf(!canMakeJournals)('the mask of log lines', () => {
  const key = [
    '-----BEGIN RSA PRIVATE KEY-----',
    ...Array.from({ length: 60 }, (_, i) => line64(i)),
    '-----END RSA PRIVATE KEY-----',
  ]

  test('knows a secret that goes over many lines, wherever a page begins or ends', async () => {
    const { journal, pages } = machine()
    const all = ['before', ...key, 'after']
    journal(all.map((text, index) => entry(index * 1000, text)))
    for (const order of ['oldest', 'newest'])
      for (const limit of ['9', '1000']) {
        const lines = await pages({ order, limit })
        const text = messages(lines).join('\n')
        expect(lines).toHaveLength(all.length)
        for (let i = 0; i < 60; i++) expect(text).not.toContain(line64(i))
        expect(text).toContain('before')
      }
  })

  test('knows a secret whose first line is gone, wherever a page begins or ends', async () => {
    const { journal, pages } = machine()
    const all = ['before', ...key.slice(20), 'after']
    journal(all.map((text, index) => entry(index * 1000, text)))
    for (const order of ['oldest', 'newest'])
      for (const limit of ['9', '1000']) {
        const lines = await pages({ order, limit })
        const text = messages(lines).join('\n')
        expect(lines).toHaveLength(all.length)
        for (let i = 19; i < 60; i++) expect(text).not.toContain(line64(i))
        expect(text).toContain('before')
        expect(text).toContain('-----END RSA PRIVATE KEY-----')
      }
  })

  test('cannot be asked letter by letter: what is looked for has to stand in what is handed over', async () => {
    const { journal, page } = machine()
    journal([entry(0, 'DB_PASSWORD=Zq8vT1xW5nLk'), entry(1, 'DB_HOST=Zq8v')])
    expect(messages((await page({ search: 'Zq8vT1xW' })).lines)).toEqual([])
    expect(messages((await page({ search: 'zq8v' })).lines)).toEqual(['DB_HOST=Zq8v'])
    expect(messages((await page({ search: 'masked:password' })).lines)).toEqual([
      expect.stringMatching(/^DB_PASSWORD=<masked:password:\w+>$/) as string,
    ])
  })

  test('knows the values of the configured files, and hands nothing over where they cannot be read', async () => {
    const known = machine({ redaction: { ...testRedaction(), values: async () => ['tok-Zq8vT1xW5nLk'] } })
    known.journal([entry(0, 'it is tok-Zq8vT1xW5nLk')])
    expect(messages((await known.page()).lines)).toEqual([
      expect.stringMatching(/^it is <masked:live-value:/) as string,
    ])
    const values = () => Promise.reject(new Error('/etc/secrets cannot be read'))
    const unknown = machine({ root: known.root, redaction: { ...testRedaction(), values } })
    await expect(unknown.page()).rejects.toThrow('/etc/secrets cannot be read')
    const settings = machine({ root: known.root, redaction: testRedaction('unknown') })
    await expect(settings.page()).rejects.toThrow('secrets that cannot be understood')
  })

  test('masks names that programs give themselves', async () => {
    const { journal, page } = machine()
    journal([entry(0, 'hello', { SYSLOG_IDENTIFIER: 'x --password=Zq8vT1xW5nLk' })])
    const [line] = (await page()).lines
    expect(line!.identifier).not.toContain('Zq8vT1xW5nLk')
  })
})

/** 64 letters that no other line has. */
function line64(index: number): string {
  return `Qm${index.toString().padStart(3, '0')}kV9xT2`.padEnd(64, 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z')
}
