import { expect, onTestFinished, test } from 'vitest'
import type { FollowStep } from '../../../src/collect/logs/follow.ts'
import type { LogLine } from '../../../src/collect/logs/line.ts'
import { NOTHING_KEPT } from '../../../src/collect/recorded-containers.ts'
import { parseFollowWish } from '../../../src/collect/logs/wish.ts'
import type { Parameters } from '../../../src/collect/request.ts'
import { describeWithDocker, sh, type Docker } from '../../helpers/docker.ts'
import { createKept } from '../../../src/record/containers/kept.ts'
import { isComplete, keptOf, startTail, type TestTail } from '../../record/containers/tail-kit.ts'
import { machine } from './kit.ts'

const counting = (count: number, more = '') =>
  sh(`i=0; while [ $i -lt ${count} ]; do echo line $i; i=$((i+1)); ${more} done`)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`)

describeWithDocker('containers that are followed and kept', (docker) => {
  test('one that is removed while it talks ends with all of its lines', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const { until, lines } = follow(docker(), {}, keptBy(tail))
    await until(({ caughtUp }) => caughtUp)
    const id = await docker().start('cut', { Cmd: counting(1e9) })
    await until(({ of }) => of('cut').length > 1000)
    await docker().ask('DELETE', `/containers/${id}?force=1`)
    const kept = await keptOf(tail, 'cut', ({ state, logComplete }) => state === 'removed' && logComplete === true)
    await until(({ of }) => of('cut').length >= kept.log.lines)
    expect(lines('cut')).toEqual(upTo(kept.log.lines))
  })

  test('one that came and went while nobody looked is told of by what is kept', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    // It never hears of a container by itself.
    const { until, lines } = follow({ socket: '/nowhere.sock' }, {}, keptBy(tail))
    await until(({ caughtUp }) => caughtUp)
    const id = await docker().run('fleeting', { Cmd: ['echo', 'I was here'] })
    await keptOf(tail, 'fleeting', isComplete)
    await docker().ask('DELETE', `/containers/${id}?force=1`)
    await until(({ of }) => of('fleeting').length === 1)
    expect(lines('fleeting')).toEqual(['I was here'])
  })

  test('behind the cursor of a stream that was cut, what is kept of one that is removed goes on', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const id = await docker().run('resumed', { Cmd: counting(700) })
    await keptOf(tail, 'resumed', isComplete)
    const first = follow(docker(), { since: '1h', container: 'resumed' }, keptBy(tail))
    await first.until(({ of }) => of('resumed').length >= 300)
    const before = first.taken('resumed').slice(0, 300)
    await first.stop()
    await docker().ask('DELETE', `/containers/${id}?force=1`)
    await keptOf(tail, 'resumed', ({ state }) => state === 'removed')
    const second = follow(docker(), { cursor: before.at(-1)!.cursor, container: 'resumed' }, keptBy(tail))
    await second.until(({ caughtUp }) => caughtUp)
    expect([...before.map(({ message }) => message), ...second.lines('resumed')]).toEqual(upTo(700))
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'one whose engine is ended by %s and comes back goes on, each line once',
    async (signal) => {
      const name = `lasting-${signal.toLowerCase()}`
      const { until, lines } = follow(docker(), { container: name })
      await until(({ caughtUp }) => caughtUp)
      const id = await docker().start(name, { Cmd: counting(1e9, 'sleep 0.01;') })
      await until(({ of }) => of(name).length > 50)
      await docker().restart(signal)
      const there = lines(name).length
      await until(({ of }) => of(name).length > there + 100)
      expect(lines(name)).toEqual(upTo(lines(name).length))
      await docker().ask('DELETE', `/containers/${id}?force=1`)
    },
  )
})

/** What a tail keeps. */
function keptBy({ tail, stateDir }: TestTail) {
  return { ...NOTHING_KEPT, ...createKept(stateDir), flush: () => tail.flush() }
}

describeWithDocker('containers that are followed, of a real engine', (docker) => {
  test('are read from their first line on when they start, and go on when they start again', async () => {
    const { until, lines } = follow(docker(), {})
    await until(({ caughtUp }) => caughtUp)
    const id = await docker().start('late', { Cmd: sh('echo first; echo second >&2; echo third') })
    await until(({ of }) => of('late').length === 3)
    await docker().ask('POST', `/containers/${id}/start`)
    await until(({ of }) => of('late').length === 6)
    expect(lines('late').toSorted()).toEqual(['first', 'first', 'second', 'second', 'third', 'third'])
  })

  test('of which some are gone at once lose no line', async () => {
    const { until, lines } = follow(docker(), {})
    await until(({ caughtUp }) => caughtUp)
    const names = Array.from({ length: 8 }, (_, index) => `brief-${index}`)
    await Promise.all(
      names.map((name) => docker().start(name, { Cmd: sh(`echo ${name} 1; sleep 0.3; echo ${name} 2`) })),
    )
    await until(({ of }) => names.every((name) => of(name).length === 2))
    for (const name of names) expect(lines(name)).toEqual([`${name} 1`, `${name} 2`])
  })

  test('go on behind a cursor: what was written meanwhile, each line once, then what comes', async () => {
    const script =
      'i=0; while [ $i -lt 400 ]; do echo tick $i; [ $((i % 3)) = 0 ] && echo tock $i >&2; i=$((i+1)); done; sleep 1000'
    const id = await docker().start('busy', { Cmd: sh(script) })
    const seen: string[] = []
    let cursor: string | undefined
    for (const enough of [100, 250, 534]) {
      const one = follow(docker(), {
        container: 'busy',
        ...(cursor === undefined ? { since: '1h' } : { cursor }),
      })
      await one.until(({ of }) => seen.length + of('busy').length >= enough)
      const steps = one.taken('busy').slice(0, enough - seen.length)
      seen.push(...steps.map(({ message }) => message))
      cursor = steps.at(-1)!.cursor
      await one.stop()
    }
    const numbers = (word: string) =>
      seen.filter((message) => message.startsWith(word)).map((message) => Number(message.slice(5)))
    expect(numbers('tick')).toEqual(Array.from({ length: 400 }, (_, index) => index))
    expect(numbers('tock')).toEqual(Array.from({ length: 134 }, (_, index) => index * 3))
    await docker().ask('DELETE', `/containers/${id}?force=1`)
  })

  test('a flood is read as fast as it is taken, and whole', async () => {
    const count = 50_000
    const { until, lines } = follow(docker(), { container: 'flood' })
    await until(({ caughtUp }) => caughtUp)
    await docker().start('flood', { Cmd: ['seq', '1', String(count)] })
    await until(({ of }) => of('flood').length === count)
    expect(lines('flood')).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)))
  })
})

interface State {
  readonly caughtUp: boolean
  of(container: string): readonly LogLine[]
}

function follow({ socket }: Pick<Docker, 'socket'>, parameters: Parameters, kept = NOTHING_KEPT) {
  const { reader } = machine({ root: '', engines: [socket], path: '/nonexistent', kept })
  const ended = new AbortController()
  const steps = reader.follow(parseFollowWish({ source: 'container', ...parameters }, Date.now()), ended.signal)
  const lines = new Map<string, LogLine[]>()
  let caughtUp = false
  const take = (step: FollowStep) => {
    caughtUp ||= 'caughtUp' in step
    if (!('line' in step)) return
    const name = step.line.container!.name
    lines.set(name, lines.get(name) ?? [])
    lines.get(name)!.push(step.line)
  }
  const state: State = {
    get caughtUp() {
      return caughtUp
    },
    of: (name) => lines.get(name) ?? [],
  }
  const stop = async () => {
    ended.abort()
    await steps.return()
  }
  onTestFinished(stop)
  return {
    stop,
    taken: state.of,
    lines: (name: string) => state.of(name).map(({ message }) => message),
    async until(enough: (state: State) => boolean) {
      while (!enough(state)) {
        const step = await steps.next()
        if (step.done) throw new Error('it ended before that')
        take(step.value)
      }
    },
  }
}
