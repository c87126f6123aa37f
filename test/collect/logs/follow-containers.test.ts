import { expect, onTestFinished, test } from 'vitest'
import type { FollowStep } from '../../../src/collect/logs/follow.ts'
import type { LogLine } from '../../../src/collect/logs/line.ts'
import { parseFollowWish } from '../../../src/collect/logs/wish.ts'
import type { Parameters } from '../../../src/collect/request.ts'
import { describeWithDocker, sh, type Docker } from '../../helpers/docker.ts'
import { machine } from './kit.ts'

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

function follow({ socket }: Docker, parameters: Parameters) {
  const { reader } = machine({ root: '', engines: [socket], path: '/nonexistent' })
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
