/** Commands that misbehave, as entries of a bundle: each costs itself, says so, and leaves no process behind. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { collector, makeBundle } from '../helpers/make-bundle.ts'
import { fakeCommand, isGone, temporaryFolder } from '../helpers/commands.ts'

const healthy = collector(function* ({ command }) {
  yield command`echo all is well`.as('fine.txt')
})

/** A bundle of one bad command beside a healthy one; the bad one is `bad`, a shell script. */
async function withCommand(script: string, parameters: Record<string, string> = {}) {
  const broken = collector(function* ({ command }) {
    yield command`bad`.as('bad.txt')
  })
  const bundle = await makeBundle({ broken, healthy }, { parameters, deps: { path: fakeCommand('bad', script) } })
  expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  expect(bundle.manifest.complete).toBe(true)
  return bundle
}

const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'))

describe('a command that', () => {
  test('is missing is skipped, with its name', async () => {
    const broken = collector(function* ({ command }) {
      yield command`no-such-command --at all`.as('bad.txt')
    })
    const bundle = await makeBundle({ broken, healthy })
    expect(bundle.row('broken/bad.txt')).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringContaining('no-such-command'),
    })
    expect(bundle.text('broken/bad.txt.error.txt')).toContain('no-such-command')
  })

  test('exits non-zero keeps its output, and its stderr stands beside it', async () => {
    const bundle = await withCommand('echo half; echo "cannot go on" >&2; exit 3')
    expect(bundle.row('broken/bad.txt').outcome).toBe('partial')
    expect(bundle.text('broken/bad.txt')).toContain('half')
    expect(bundle.text('broken/bad.txt.error.txt')).toMatch(/exited with code 3[\s\S]*stderr:\ncannot go on/)
  })

  test('hangs is ended at its deadline, what it had said is kept', async () => {
    const folder = temporaryFolder()
    const bundle = await withCommand(`echo $$ > ${folder}/pid; echo begun; exec sleep 600`, { limits: 'stall=300ms' })
    expect(bundle.row('broken/bad.txt').outcome).toBe('timeout')
    expect(bundle.text('broken/bad.txt')).toMatch(/^begun\n\n… diagd: cut here: /)
    expect(isGone(pidIn(join(folder, 'pid')))).toBe(true)
  })

  test('ignores SIGTERM is killed', async () => {
    const folder = temporaryFolder()
    const script = `trap '' TERM; echo $$ > ${folder}/pid; while :; do sleep 600; done`
    const bundle = await withCommand(script, { limits: 'stall=300ms' })
    expect(bundle.row('broken/bad.txt').outcome).toBe('timeout')
    expect(isGone(pidIn(join(folder, 'pid')))).toBe(true)
  })

  test('leaves a grandchild holding its output does not hold the bundle', async () => {
    const folder = temporaryFolder()
    const bundle = await withCommand(`echo done; (echo $$ > /dev/null; exec sleep 600) & echo $! > ${folder}/pid`)
    expect(bundle.text('broken/bad.txt')).toContain('done\n')
    expect(isGone(pidIn(join(folder, 'pid')))).toBe(true)
  })

  test('prints without end is cut at the limit', async () => {
    const bundle = await withCommand('exec yes "and so on"', { limits: 'entry=1MiB' })
    const row = bundle.row('broken/bad.txt')
    expect(row.outcome).toBe('partial')
    expect(row.sizeBytes).toBeGreaterThan(2 ** 20 - 4096)
    expect(row.sizeBytes).toBeLessThan(2 ** 20 + 4096)
    expect(bundle.text('broken/bad.txt').endsWith(`\n… diagd: cut here: ${row.detail} …\n`)).toBe(true)
  })

  test('prints one line of 100 MB is cut like any other', async () => {
    const bundle = await withCommand('head -c 100000000 /dev/zero | tr "\\0" x', { limits: 'entry=2MiB' })
    expect(bundle.row('broken/bad.txt')).toMatchObject({ outcome: 'partial', detail: expect.stringContaining('cut') })
  })

  test('floods stderr keeps its output, and a bounded part of the flood', async () => {
    const bundle = await withCommand('yes oh no | head -c 50000000 >&2; echo fine; exit 1')
    expect(bundle.text('broken/bad.txt')).toContain('fine')
    expect(bundle.files.get('broken/bad.txt.error.txt')!.length).toBeLessThan(20_000)
  })

  test('is a dead systemctl, asked thrice, is ended each time, and the rest goes on', async () => {
    const broken = collector(function* ({ command }) {
      for (const name of ['a', 'b', 'c']) yield command`systemctl show ${name}`.as(`${name}.txt`)
    })
    const path = fakeCommand('systemctl', 'exec sleep 600')
    const bundle = await makeBundle({ broken, healthy }, { parameters: { limits: 'stall=2500ms' }, deps: { path } })
    for (const name of ['a', 'b', 'c']) expect(bundle.row(`broken/${name}.txt`).outcome).toBe('timeout')
    expect(bundle.text('healthy/fine.txt')).toBe('all is well\n')
  })
})

describe('the bundle as a whole', () => {
  test('is told the same whatever locale and zone the daemon was started in', async () => {
    const shown = collector(function* ({ command }) {
      yield command`env`.as('env.txt')
      yield command`date --date=@0`.as('date.txt')
    })
    const before = { ...process.env }
    Object.assign(process.env, { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8', TZ: 'Asia/Tokyo', DIAGD_SECRET: 'x' })
    try {
      const bundle = await makeBundle({ shown })
      expect(bundle.text('shown/date.txt')).toBe('Thu Jan  1 00:00:00 UTC 1970\n')
      expect(bundle.text('shown/env.txt')).toContain('LC_ALL=C.UTF-8\n')
      expect(bundle.text('shown/env.txt')).not.toContain('DIAGD')
    } finally {
      process.env = before
    }
  })

  test('that is aborted leaves no child process', async () => {
    const folder = temporaryFolder()
    const path = fakeCommand('endless', `echo $$ > ${folder}/pid; while :; do echo on and on; sleep 0.01; done`)
    // More of them than run at once: those that wait have to end as well.
    const endless = collector(function* ({ command }) {
      for (let number = 0; number < 20; number++) yield command`endless ${number}`.as(`${number}.txt`)
    })
    const collectors = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`endless-${index}`, endless]))
    const gone = new AbortController()
    // The client goes as soon as the command has said something.
    const sink = { write: async () => {} }
    const bundle = makeBundle(collectors, { deps: { path }, signal: gone.signal, sink })
    const failed = expect(bundle).rejects.toThrow('the client has gone')
    const { watch, existsSync } = await import('node:fs')
    await new Promise<void>((resolve) => {
      const watcher = watch(folder, check)
      function check(): void {
        if (!existsSync(join(folder, 'pid')) || readFileSync(join(folder, 'pid')).length === 0) return
        watcher.close()
        resolve()
      }
      check()
    })
    gone.abort(new Error('the client has gone'))
    await failed
    expect(isGone(pidIn(join(folder, 'pid')))).toBe(true)
  })
})
