/** Many at once, floods among them, and an engine that goes and comes. */
import { expect, test } from 'vitest'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { isComplete, keptOf, logText, messages, startTail } from './tail-kit.ts'

/** MANY_CONTAINERS says how many. */
const MANY = Number(process.env.MANY_CONTAINERS ?? 20)

describeWithDocker('an engine with much to do', (docker) => {
  test('restarted and killed under load: no line is lost, none is there twice', async () => {
    const tail = await startTail([docker().socket])
    const steady = `n=0; while :; do seq $n $((n+99)); n=$((n+100)); sleep 0.05; done`
    const ids = [
      await docker().start('steady-1', { Cmd: sh(steady) }),
      await docker().start('steady-2', { Cmd: sh(steady) }),
    ]
    let lines = 0
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
      for (const name of ['steady-1', 'steady-2'])
        ({ lines } = (await keptOf(tail, name, ({ log }) => log.lines > lines + 500)).log)
      const before = ends(tail.store.events)
      const lost = tail.store.until(({ events }) => ends(events) > before)
      await docker().restart(signal)
      await lost
    }
    for (const id of ids) await docker().ask('POST', `/containers/${id}/kill`)
    for (const [index, name] of ['steady-1', 'steady-2'].entries()) {
      const kept = await keptOf(tail, name, isComplete)
      const numbers = messages(await logText(tail.stateDir, kept)).map((word) => Number(word.slice(9)))
      const truth = String(await docker().ask('GET', `/containers/${ids[index]}/logs?stdout=1`))
      expect(numbers).toEqual([...truth.matchAll(/(\d+)\n/g)].map(([, digits]) => Number(digits)))
    }
  })

  test('a flood is counted and marked where it is missing, and costs the others no line', async () => {
    const flood = { bytesPerSecond: 64 * 1024, burstBytes: 512 * 1024 }
    const tail = await startTail([docker().socket], { limits: { flood } })
    const quiet = sh('for i in $(seq 0 99); do echo quiet $i; sleep 0.02; done')
    const noisy = sh('seq 1 100000')
    const [quietId, noisyId] = [
      await docker().create('quiet', { Cmd: quiet }),
      await docker().create('noisy', { Cmd: noisy }),
    ]
    for (const id of [quietId, noisyId]) await docker().ask('POST', `/containers/${id}/start`)
    const keptQuiet = await keptOf(tail, 'quiet', isComplete)
    expect(messages(await logText(tail.stateDir, keptQuiet))).toEqual(
      Array.from({ length: 100 }, (_, index) => `stdout F quiet ${index}`),
    )
    const kept = await keptOf(tail, 'noisy', isComplete)
    const { lines, dropped } = kept.log
    expect(dropped.flood).toBeGreaterThan(0)
    expect(lines + dropped.flood).toBe(100_000)
    const words = messages(Buffer.from(await logText(tail.stateDir, kept), 'latin1').toString())
    const marked = words.flatMap((word) => /^… (\d+) lines dropped \(flood\) from \S+ to \S+ …$/.exec(word)?.[1] ?? [])
    expect(marked.reduce((all, digits) => all + Number(digits), 0)).toBe(dropped.flood)
    // Where lines are missing, and nowhere else, there is a marker.
    let next = 1
    let left = 0
    for (const word of words) {
      const [, missing] = /^… (\d+) /.exec(word) ?? []
      if (missing === undefined) {
        const number = Number(word.slice(9))
        expect(number - next).toBe(left)
        next = number + 1
        left = 0
      } else left += Number(missing)
    }
    expect(100_000 - next + 1).toBe(left)
    await tail.heard('container.log-flood', 'noisy')
  })

  test(`${MANY} containers at once: each is kept whole`, { timeout: 60_000 + MANY * 5000 }, async () => {
    const tail = await startTail([docker().socket])
    const names = Array.from({ length: MANY }, (_, index) => `one-of-many-${index}`)
    const left = [...names]
    const next = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop())
        await docker().start(name, { Cmd: sh(`for i in $(seq 0 199); do echo ${name} $i; done; exit 7`) })
    }
    await Promise.all(Array.from({ length: 4 }, next))
    for (const name of names) {
      const kept = await keptOf(tail, name, isComplete)
      expect(kept).toMatchObject({ state: 'exited', exitCode: 7, log: { lines: 200 } })
      const words = messages(await logText(tail.stateDir, kept))
      expect(words).toEqual(Array.from({ length: 200 }, (_, index) => `stdout F ${name} ${index}`))
    }
    expect(tail.tail.health().problems).toEqual([])
  })
})

const ends = (events: readonly { type: string }[]) => events.filter(({ type }) => type === 'engine.lost').length
