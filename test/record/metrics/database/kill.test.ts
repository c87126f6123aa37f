/** Killed in the midst of writing, again and again: what was acknowledged is there, and each minute was made once. KILL_ROUNDS says how often. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { machine } from '../../../helpers/samples.ts'
import { ask, stateFolder } from '../../events/kit.ts'
import { storeIn } from './kit.ts'

const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url))
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10)

/** Numbers of samples and events that were acknowledged. */
async function killedAfter(acknowledged: number, folder: string, round: number) {
  const child = spawn(process.execPath, [CHILD, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
    const both = text.includes('sample') && text.includes('event')
    if (both && text.split('\n').length > acknowledged) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  expect(signal).toBe('SIGKILL')
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
  const of = (kind: string) => lines.filter((line) => line.startsWith(kind)).map((line) => Number(line.split(' ')[1]))
  return { samples: of('sample'), events: of('event') }
}

test(
  `nothing acknowledged is lost in ${ROUNDS} rounds of kill -9, in either database of the thread`,
  { timeout: ROUNDS * 30_000 },
  async () => {
    const folder = await stateFolder()
    const [metrics, events] = [`${folder}/metrics.db`, `${folder}/events.db`]
    for (let round = 0; round < ROUNDS; round++) {
      const given = await killedAfter(1 + ((round * 7919) % 400), folder, round)
      const found = new Set(ask<{ id: number }>(metrics, 'SELECT id FROM samples').map(({ id }) => id))
      expect(given.samples.filter((id) => !found.has(id))).toEqual([])
      const told = new Set(ask<{ id: number }>(events, 'SELECT id FROM events').map(({ id }) => id))
      expect(given.events.filter((id) => !told.has(id))).toEqual([])
      for (const path of [metrics, events]) expect(ask(path, 'PRAGMA quick_check')).toEqual([{ quick_check: 'ok' }])
    }
    const store = storeIn(folder)
    const last = await store.append(machine().next({ bootId: 'after all that' }))
    await expect.poll(() => ask(metrics, 'SELECT max(last_sample) AS last FROM minutes')).toEqual([{ last: last - 1 }])
    expect(store.health()).toMatchObject({ state: 'recording', problems: [] })
    expect(await store.setAside()).toEqual([])
    expect(ask(metrics, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    // One follows the other, each has all its samples, and no sample is in two.
    const minutes = ask<Record<'id' | 'last' | 'samples' | 'containers' | 'boots', number>>(
      metrics,
      `SELECT m.id, last_sample AS last, m.samples,
        (SELECT count(*) FROM container_minutes AS c WHERE c.minute = m.id) AS containers,
        (SELECT count(DISTINCT boot) FROM samples WHERE samples.id BETWEEN m.id AND last_sample) AS boots
      FROM minutes AS m ORDER BY m.id`,
    )
    let before = 0
    for (const { id, last: end, samples, containers, boots } of minutes) {
      expect({ id, samples, containers, boots }).toEqual({
        id: before + 1,
        samples: end - before,
        containers: 5,
        boots: 1,
      })
      before = end
    }
  },
)
