/** Killed in the midst of a steady log, again and again: what is kept is what the engine has, each line once. KILL_ROUNDS says how often. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { isComplete, keptOf, logText, messages, startTail, stateFolder } from './tail-kit.ts'

const CHILD = fileURLToPath(new URL('tail-child.ts', import.meta.url))
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 8)

/** Some 5000 lines a second, as long as nobody ends it; every fifth goes to stderr. */
const STEADY = `n=0; while :; do seq $n $((n+399)); seq $n 4 $((n+399)) >&2; n=$((n+400)); sleep 0.08; done`

/** Resolves once it is dead: killed when it has stored so many lines. */
async function killedAfter(lines: number, socket: string, stateDir: string): Promise<void> {
  const child = spawn(process.execPath, [CHILD, socket, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const stored = Number(text.trim().split('\n').at(-1))
    if (stored >= lines) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  expect(signal).toBe('SIGKILL')
}

describeWithDocker(`kill -9 in ${ROUNDS} rounds`, (docker) => {
  test(
    'no line is lost, none is there twice, and each stream is in its order',
    { timeout: ROUNDS * 15_000 + 60_000 },
    async () => {
      const stateDir = await stateFolder()
      const id = await docker().start('steady', { Cmd: sh(STEADY) })
      // Some before the first line is on the disk, some in the midst of a segment, or of one to the next.
      for (let round = 0; round < ROUNDS; round++) await killedAfter((round * 7919) % 6000, docker().socket, stateDir)
      await docker().ask('POST', `/containers/${id}/kill`)
      const last = await startTail([docker().socket], { stateDir })
      const kept = await keptOf(last, 'steady', isComplete)
      // Without markers of writes that were cut off.
      const words = messages(await logText(stateDir, kept)).filter((word) => /^std(?:out|err) /.test(word))
      const truth = await docker().ask('GET', `/containers/${id}/logs?stdout=1&stderr=1`)
      const lines = [...String(truth).matchAll(/(\d+)\n/g)].length
      expect(kept.log).toMatchObject({ lines, ambiguous: 0, dropped: { flood: 0, cap: 0, withheld: 0 } })
      const numbers = (stream: string) =>
        words.filter((word) => word.startsWith(stream)).map((word) => Number(word.slice(9)))
      const out = numbers('stdout')
      expect(out).toEqual(out.map((_, index) => index))
      expect(numbers('stderr')).toEqual(numbers('stderr').map((_, index) => index * 4))
      expect(words).toHaveLength(lines)
      expect(lines).toBeGreaterThan(ROUNDS * 1000)
    },
  )
})
