import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { describeEnd, openCommand, runCommand } from '../../src/sources/command.ts'
import { commandContext, fakeCommand, isGone, output, temporaryFolder } from '../helpers/commands.ts'

const sh = (script: string): string[] => ['sh', '-c', script]

/** Opens a script that prints the pids of itself and its children in its first line; returns them and the source. */
async function openPids(script: string, context = commandContext()) {
  const opened = await openCommand({ argv: sh(script) }, context)
  const first = await opened.chunks.next()
  const [line = ''] = Buffer.from(first.value as Buffer)
    .toString()
    .split('\n')
  const pids = line.split(' ').map(Number)
  expect(pids.every((pid) => pid > 1)).toBe(true)
  return { opened, pids }
}

describe('what a command is given', () => {
  test('one argument stays one argument, whatever is in it', async () => {
    const { text } = await output(['printf', '%s|', 'a b', ';', '$(id)', '`id`', '*', '', '\n'])
    expect(text).toBe('a b|;|$(id)|`id`|*||\n|')
  })

  test("its environment is English, UTC and wide, and holds nothing of the caller's", async () => {
    vi.stubEnv('LANG', 'de_DE.UTF-8')
    vi.stubEnv('LC_ALL', 'de_DE.UTF-8')
    vi.stubEnv('TZ', 'Asia/Tokyo')
    vi.stubEnv('DIAGD_TOKEN', 'secret')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { text } = await output(['env'])
    const names = text.trim().split('\n')
    expect(names).toContain('LC_ALL=C.UTF-8')
    expect(names).toContain('TZ=UTC')
    expect(new Set(names.map((line) => line.split('=')[0]))).toEqual(
      new Set(
        'COLUMNS HOME LC_ALL NO_COLOR PAGER PATH PYTHONDONTWRITEBYTECODE SYSTEMD_COLORS SYSTEMD_PAGER TERM TZ'.split(
          ' ',
        ),
      ),
    )
  })

  test('it runs at the lowest CPU and I/O priority, in a process group of its own, with nothing to read', async () => {
    const { text } = await output(sh('nice; ionice; ps -o pgid= -p $$; echo $$; wc -c'))
    const [nice, ionice, group, pid, stdin] = text.split('\n').map((line) => line.trim())
    expect([nice, ionice, stdin]).toEqual(['19', 'idle', '0'])
    expect(group).toBe(pid)
  })

  test('its origin is a command line that a shell would read the same way', async () => {
    const { origin } = await openCommand({ argv: ['ls', '-l', "it's here"] }, commandContext())
    expect(origin).toBe(`ls -l 'it'\\''s here'`)
  })
})

describe('how a command ends', () => {
  test('exit 0 is ok, and what it said to stderr is kept', async () => {
    expect(await output(sh('echo out; echo err >&2'))).toEqual({
      text: 'out\n',
      end: { outcome: 'ok', stderr: 'err\n' },
    })
  })

  test('another exit code is partial after output, failed without, and says the first line of stderr', async () => {
    const { end } = await output(sh('echo out; echo why >&2; exit 3'))
    expect(end).toMatchObject({ outcome: 'partial', detail: 'exited with code 3: why' })
    expect((await output(sh('exit 3'))).end).toEqual({ outcome: 'failed', detail: 'exited with code 3' })
  })

  test('an exit code that was declared a success is one', async () => {
    expect((await output(sh('exit 3'), {}, { okCodes: [3] })).end.outcome).toBe('ok')
  })

  test('a signal is named', async () => {
    expect((await output(sh('kill -SEGV $$'))).end).toEqual({ outcome: 'failed', detail: 'ended by SIGSEGV' })
  })

  test('a missing command is skipped, one that is not executable failed', async () => {
    await expect(output(['nft-of-nobody'])).rejects.toMatchObject({
      outcome: 'skipped',
      message: 'command not found: nft-of-nobody',
    })
    const path = fakeCommand('locked', 'true', 0o644)
    await expect(output(['locked'], {}, { path })).rejects.toMatchObject({
      outcome: 'failed',
      message: expect.stringMatching(/cannot be executed: .*\/locked: no execute permission/),
    })
  })

  test('a file that the kernel refuses to execute is failed', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'odd'), '#!/no/such/interpreter\n', { mode: 0o755 })
    const { end } = await output([join(folder, 'odd')])
    expect(end).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('cannot be executed') })
  })

  test('lacking rights is skipped for a user, and failed for root', () => {
    const ended = { ending: 'itself', exit: { code: 1, signal: null }, bytes: 0 } as const
    const job = { spec: { argv: ['dmesg'] }, patience: { totalMs: 1, stallMs: 1 }, maxBytes: 1 }
    const stderr = 'hint\ndmesg: read kernel buffer failed: Operation not permitted\n'
    expect(describeEnd({ ...ended, stderr }, { ...job, uid: 1000 })).toMatchObject({
      outcome: 'skipped',
      detail: 'needs root: dmesg: read kernel buffer failed: Operation not permitted',
    })
    expect(describeEnd({ ...ended, stderr }, { ...job, uid: 0 }).outcome).toBe('failed')
    expect(describeEnd({ ...ended, stderr: 'broken' }, { ...job, uid: 1000 }).outcome).toBe('failed')
  })
})

describe('time', () => {
  test('a command that says nothing is ended, and what it said before stays', async () => {
    const { text, end } = await output(sh('echo early; exec sleep 1000'), { stallMs: 1000 })
    expect(text).toBe('early\n')
    expect(end).toEqual({ outcome: 'timeout', detail: 'said nothing for 1 s' })
  })

  test('a command that talks on is ended when its whole time is over', async () => {
    const { end } = await output(sh('while echo x; do sleep 0.05; done'), { commandMs: 500 })
    expect(end).toEqual({ outcome: 'timeout', detail: 'took longer than 0.5 s' })
  })

  test('one that ignores SIGTERM dies all the same, with its children', async () => {
    const script = `trap '' TERM; sleep 1000 & echo $$ $!; wait`
    const { opened, pids } = await openPids(script, commandContext({ stallMs: 1000 }))
    expect((await opened.chunks.next()).value).toMatchObject({ outcome: 'timeout' })
    expect(pids.map(isGone)).toEqual([true, true])
  })

  test("the reader's time does not count: a command that waits for it is not late", async () => {
    const limitMs = 1000
    const context = commandContext({ commandMs: limitMs, stallMs: limitMs })
    const { chunks } = await openCommand({ argv: ['head', '-c', '2000000', '/dev/zero'] }, context)
    let step = await chunks.next()
    await delay(limitMs * 1.2)
    let bytes = 0
    for (; !step.done; step = await chunks.next()) bytes += step.value.length
    expect(step.value.outcome).toBe('ok')
    expect(bytes).toBe(2_000_000)
  })

  test('after the first D-Bus command that hangs, the others get two seconds, also those under way', async () => {
    const path = fakeCommand('systemctl', 'exec sleep 1000')
    const dbus = { dead: false }
    const underWay = output(['systemctl', 'list-units'], {}, { path, dbus })
    await output(['systemctl', 'status'], { stallMs: 100 }, { path, dbus })
    expect(dbus.dead).toBe(true)
    const { end } = await output(['systemctl', 'list-jobs'], {}, { path, dbus })
    const hopeless = { outcome: 'timeout', detail: expect.stringContaining('said nothing for 2 s or more') }
    expect(end).toMatchObject(hopeless)
    expect((await underWay).end).toMatchObject(hopeless)
  })

  test('a command that does not talk to D-Bus leaves the patience with it alone', async () => {
    const dbus = { dead: false }
    await output(['sleep', '1000'], { stallMs: 100 }, { dbus })
    expect(dbus.dead).toBe(false)
  })
})

describe('output', () => {
  test('a background process that keeps the output open is ended', async () => {
    const { opened, pids } = await openPids('sleep 1000 & echo $!')
    const end = await opened.chunks.next()
    expect(end.value).toEqual({ outcome: 'partial', detail: 'a background process kept its output open; ended' })
    expect(pids.map(isGone)).toEqual([true])
  })

  test('output without end is cut at a line within the limit', async () => {
    const { text, end } = await output(['yes', '1234'], { entryBytes: 1_000_003 })
    expect(text.length).toBe(1_000_000)
    expect(text.endsWith('1234\n')).toBe(true)
    expect(end).toEqual({ outcome: 'partial', detail: 'output cut at 1000003 bytes', endsEarly: true })
  })

  test('output of exactly the limit is whole', async () => {
    const { text, end } = await output(['head', '-c', '5000', '/dev/zero'], { entryBytes: 5000 })
    expect([text.length, end.outcome]).toEqual([5000, 'ok'])
  })

  test('one line of 100 MB passes in small chunks', async () => {
    const { chunks } = await openCommand(
      { argv: ['head', '-c', '100000000', '/dev/zero'] },
      commandContext({ entryBytes: Infinity }),
    )
    const before = process.memoryUsage().rss
    const seen = { bytes: 0, longest: 0, growth: 0 }
    for await (const chunk of chunks) {
      seen.bytes += chunk.length
      seen.longest = Math.max(seen.longest, chunk.length)
      seen.growth = Math.max(seen.growth, process.memoryUsage.rss() - before)
    }
    expect(seen.bytes).toBe(100_000_000)
    expect(seen.longest).toBeLessThanOrEqual(128 * 1024)
    expect(seen.growth).toBeLessThan(64 * 1024 * 1024)
  })

  test('a flood of stderr blocks nothing, and its first and last 8 KiB are kept', async () => {
    const { text, end } = await output(sh('echo first >&2; yes flood | head -c 5000000 >&2; echo last >&2; echo out'))
    expect(text).toBe('out\n')
    expect(end.stderr).toMatch(/^first\n/)
    expect(end.stderr).toMatch(/last\n$/)
    const leftOut = 5_000_000 + 'first\nlast\n'.length - 2 * 8192
    expect(end.stderr).toContain(`… diagd: ${leftOut} bytes of stderr left out here …`)
    expect(end.stderr?.length).toBeLessThan(17 * 1024)
  })
})

describe('nobody wants it any more', () => {
  test('return() resolves when the whole group is gone', async () => {
    const { opened, pids } = await openPids(`trap '' TERM; sleep 1000 >/dev/null 2>&1 & echo $$ $!; wait`)
    await opened.chunks.return({ outcome: 'ok' })
    expect(pids.map(isGone)).toEqual([true, true])
  })

  test('an abort ends a command that says nothing, and the wait for it', async () => {
    const aborting = new AbortController()
    const { opened, pids } = await openPids('echo $$; exec sleep 1000', commandContext({}, { signal: aborting.signal }))
    const waiting = opened.chunks.next()
    aborting.abort(new Error('client gone'))
    await expect(waiting).rejects.toThrow('client gone')
    expect(pids.map(isGone)).toEqual([true])
  })

  test('an abort ends a command that nobody reads', async () => {
    const aborting = new AbortController()
    const { opened, pids } = await openPids('echo $$; exec yes', commandContext({}, { signal: aborting.signal }))
    aborting.abort(new Error('client gone'))
    await vi.waitUntil(() => pids.every(isGone))
    await opened.chunks.return({ outcome: 'ok' })
  })

  test('a command that was opened and never read was never started', async () => {
    const folder = temporaryFolder()
    const { chunks } = await openCommand({ argv: ['touch', join(folder, 'started')] }, commandContext())
    await chunks.return({ outcome: 'ok' })
    expect(existsSync(join(folder, 'started'))).toBe(false)
  })

  const freezer = '/sys/fs/cgroup/freezer'
  test.skipIf(!existsSync(`${freezer}/tasks`))('a child that SIGKILL does not end is left behind', async () => {
    const group = `${freezer}/diagd-test-${process.pid}`
    mkdirSync(group)
    const { opened, pids } = await openPids('echo $$; exec sleep 1000', commandContext({ stallMs: 1000 }))
    writeFileSync(`${group}/tasks`, String(pids[0]))
    writeFileSync(`${group}/freezer.state`, 'FROZEN')
    onTestFinished(async () => {
      writeFileSync(`${group}/freezer.state`, 'THAWED')
      await vi.waitUntil(() => pids.every(isGone))
      rmdirSync(group)
    })
    const end = await opened.chunks.next()
    expect(end.value).toMatchObject({ outcome: 'timeout', detail: expect.stringContaining('left behind') })
    expect(pids.map(isGone)).toEqual([false])
  })
})

describe('a command run for its answer', () => {
  test('gives output, stderr and exit code', async () => {
    const result = await runCommand({ argv: sh('echo out; echo err >&2; exit 4') }, commandContext())
    expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 4 })
  })

  test('throws when it is missing, hangs, or prints more than 4 MiB', async () => {
    await expect(runCommand({ argv: ['nft-of-nobody'] }, commandContext())).rejects.toMatchObject({
      outcome: 'skipped',
    })
    await expect(runCommand({ argv: ['sleep', '1000'], timeoutMs: 100 }, commandContext())).rejects.toMatchObject({
      outcome: 'timeout',
      message: 'sleep: took longer than 0.1 s',
    })
    await expect(runCommand({ argv: ['yes'] }, commandContext())).rejects.toMatchObject({
      outcome: 'failed',
      message: 'yes: output cut at 4194304 bytes',
    })
  })
})
