/** The tail beside a real engine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createKept } from '../../../src/record/containers/kept.ts'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { isComplete, keptOf, logText, messages, startTail, stateFolder } from './tail-kit.ts'

describeWithDocker('containers that come and go', (docker) => {
  test('the last words of a container that is removed when it ends are kept, and how it ended', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const { Id } = (await docker().ask('POST', '/containers/create?name=brief', {
      Image: 'busybox',
      Cmd: sh('trap "echo to stdout; echo last words >&2; exit 3" USR1; echo ready; while :; do sleep 0.01; done'),
      HostConfig: { NetworkMode: 'none', AutoRemove: true },
    })) as { Id: string }
    await docker().ask('POST', `/containers/${Id}/start`)
    await keptOf(tail, 'brief', ({ log }) => log.lines === 1)
    await docker().ask('POST', `/containers/${Id}/kill?signal=USR1`)
    await tail.heard('container.destroy', 'brief')
    const kept = await keptOf(tail, 'brief', ({ state, logComplete }) => state === 'removed' && logComplete === true)
    expect(kept).toMatchObject({
      id: Id,
      name: 'brief',
      image: 'busybox',
      engine: 'configured',
      exitCode: 3,
      restartCount: 0,
    })
    expect(kept.removedMs).toBeGreaterThan(kept.startedMs!)
    expect(kept.log).toMatchObject({ lines: 3, dropped: { flood: 0, cap: 0, withheld: 0 } })
    const text = await logText(tail.stateDir, kept)
    expect(messages(text).toSorted()).toEqual(['stderr F last words', 'stdout F ready', 'stdout F to stdout'])
    const inspect = JSON.parse((await createKept(tail.stateDir).document(kept, 'inspect.json'))!.toString()) as {
      Id: string
    }
    expect(inspect.Id).toBe(Id)
    const types = tail.store.events
      .filter(({ subject }) => subject === 'brief')
      .map(({ type, level }) => `${type} ${level}`)
    expect(types).toEqual([
      'container.create info',
      'container.start info',
      'container.kill info',
      'container.die error',
      'container.destroy info',
    ])
    const die = tail.store.events.find(({ type }) => type === 'container.die')
    expect(die).toMatchObject({
      message: expect.stringContaining('ended with exit code 3'),
      detail: { exitCode: '3', id: Id },
    })
  })

  test('what it is told in its environment is masked, in its own log, that of others, and its document', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const secret = 'Tr0ub4dor-and-3'
    await docker().start('keeper', {
      Cmd: sh(`echo "mine is $DB_PASSWORD"; exec sleep 600`),
      Env: [`DB_PASSWORD=${secret}`],
    })
    await keptOf(tail, 'keeper', ({ log }) => log.lines === 1)
    await docker().run('teller', {
      Cmd: sh(`echo "${secret} is not mine"; echo "api_key=sk-live-4f9a8b7c6d5e4f3a2b1c"`),
    })
    const kept = [await keptOf(tail, 'keeper'), await keptOf(tail, 'teller', isComplete)]
    const texts = await Promise.all(kept.map((one) => logText(tail.stateDir, one)))
    expect(messages(texts[0]!)).toEqual([expect.stringMatching(/^stdout F mine is <masked:live-value:\w+>$/)])
    expect(messages(texts[1]!)[0]).toMatch(/^stdout F <masked:live-value:\w+> is not mine$/)
    expect(messages(texts[1]!)[1]).toMatch(/^stdout F api_key=<masked:/)
    for (const { folder } of kept) {
      const document = readFileSync(join(folder, 'inspect.json'), 'utf8')
      expect(document).not.toContain(secret)
      expect(JSON.parse(document)).toBeTypeOf('object')
    }
  })

  test('a terminal, long lines, binary, no newline at the end', async () => {
    const tail = await startTail([docker().socket])
    await docker().run('terminal', { Cmd: sh(`printf 'one\\ntwo\\n'`), Tty: true })
    // Docker's json-file puts U+FFFD for what is no UTF-8; its other driver keeps bytes.
    const config = { Cmd: sh(`printf '%0100000d\\n' 7; printf 'a\\0\\377\\376\\nlast'`) }
    await docker().run('long', { ...config, HostConfig: { LogConfig: { Type: 'local' } } })
    const terminal = await keptOf(tail, 'terminal', isComplete)
    expect(messages(await logText(tail.stateDir, terminal))).toEqual(['stdout F one\r', 'stdout F two\r'])
    const long = await keptOf(tail, 'long', isComplete)
    const [first, ...others] = messages(await logText(tail.stateDir, long))
    expect(first).toBe(`stdout F ${'0'.repeat(99_999)}7`)
    expect(others).toEqual(['stdout F a\0\xff\xfe', 'stdout P last'])
  })

  test('a container that is started again goes on in the same log', async () => {
    const tail = await startTail([docker().socket])
    const id = await docker().run('again', { Cmd: sh('echo run; exit 1') })
    await keptOf(tail, 'again', (one) => isComplete(one) && one.log.lines === 1)
    for (const lines of [2, 3]) {
      await docker().ask('POST', `/containers/${id}/start`)
      await docker().ask('POST', `/containers/${id}/wait`)
      await keptOf(tail, 'again', (one) => isComplete(one) && one.log.lines === lines)
    }
  })

  test('one that ran out of memory, and one whose health check fails', async () => {
    const tail = await startTail([docker().socket])
    const HostConfig = { Memory: 8 * 1024 * 1024 }
    // Its first process outlives what is killed: an engine may miss a want of memory that ends the container with its group.
    const greed = `(x=aaaaaaaa; while :; do x=$x$x; done); sleep 600`
    const greedy = await docker().start('greedy', { Cmd: sh(greed), HostConfig })
    const Healthcheck = { Test: ['CMD-SHELL', 'echo not well; exit 1'], Interval: 50e6, Retries: 1, Timeout: 10e9 }
    await docker().start('ill', { Cmd: ['sleep', '600'], Healthcheck } as never)
    await tail.heard('container.oom', 'greedy')
    await docker().ask('POST', `/containers/${greedy}/kill`)
    const kept = await keptOf(tail, 'greedy', isComplete)
    expect(kept).toMatchObject({ exitCode: 137, signal: 'SIGKILL', oomKilled: true })
    const ill = await keptOf(tail, 'ill', ({ health }) => health?.status === 'unhealthy')
    expect(ill.health!.log[0]).toMatchObject({ exitCode: 1, output: 'not well\n' })
    await tail.heard('container.health', 'ill')
  })

  test('what the engine cannot hand out is said once', async () => {
    const stateDir = await stateFolder()
    const first = await startTail([docker().socket], { stateDir })
    const id = await docker().run('mute', {
      Cmd: sh('echo nobody reads it'),
      HostConfig: { LogConfig: { Type: 'none' } },
    })
    await first.heard('container.log-unreadable', 'mute')
    const kept = await keptOf(first, 'mute', ({ logProblem }) => logProblem !== undefined)
    expect(kept).toMatchObject({ logDriver: 'none', logProblem: expect.stringContaining('does not support reading') })
    await first.close()
    const second = await startTail([docker().socket], { stateDir, store: first.store })
    await docker().ask('POST', `/containers/${id}/start`)
    await docker().ask('POST', `/containers/${id}/wait`)
    await keptOf(second, 'mute', ({ startedMs }) => startedMs! > kept.startedMs!)
    expect(first.store.events.filter(({ type }) => type === 'container.log-unreadable')).toHaveLength(1)
  })

  test('what happened while diagd was away is told when it comes back', async () => {
    const stateDir = await stateFolder()
    const first = await startTail([docker().socket], { stateDir })
    const stays = await docker().start('stays', { Cmd: sh('echo before; sleep 1; echo after; exec sleep 600') })
    const goes = await docker().start('goes', { Cmd: sh('echo here; exec sleep 600') })
    for (const name of ['stays', 'goes']) await keptOf(first, name, ({ log }) => log.lines > 0)
    await first.close()
    await docker().ask('DELETE', `/containers/${goes}?force=1`)
    await docker().ask('POST', `/containers/${stays}/kill?signal=KILL`)
    const second = await startTail([docker().socket], { stateDir, store: first.store })
    const gone = await keptOf(second, 'goes', ({ state }) => state === 'removed')
    expect(messages(await logText(stateDir, gone))).toEqual(['stdout F here'])
    const dead = await keptOf(second, 'stays', isComplete)
    expect(dead).toMatchObject({ state: 'exited', exitCode: 137, signal: 'SIGKILL' })
    expect(messages(await logText(stateDir, dead))[0]).toBe('stdout F before')
    await second.heard('container.destroy', 'goes')
    const told = second.store.events.filter(({ subject }) => subject === 'goes').map(({ type }) => type)
    expect(told).toEqual([
      'container.create',
      'container.start',
      'container.kill',
      'container.die',
      'container.destroy',
    ])
  })

  test('a container that is removed while it talks is kept to its last line', async () => {
    const tail = await startTail([docker().socket])
    const id = await docker().start('cut', { Cmd: sh('i=0; while :; do echo line $i; i=$((i+1)); done') })
    await keptOf(tail, 'cut', ({ log }) => log.lines > 5000)
    await docker().ask('DELETE', `/containers/${id}?force=1`)
    const kept = await keptOf(tail, 'cut', ({ state, logComplete }) => state === 'removed' && logComplete === true)
    const numbers = messages(await logText(tail.stateDir, kept)).map((line) => Number(line.split(' ')[3]))
    expect(numbers).toEqual(numbers.map((_, index) => index))
    expect(kept).toMatchObject({ exitCode: 137, signal: 'SIGKILL' })
  })
})
