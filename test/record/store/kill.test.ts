/** Killed in the midst of writing, again and again: what was acknowledged is there, and the database is whole. KILL_ROUNDS says how often. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ask, event, stateFolder, storeIn } from '../events/kit.ts'

const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url))
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 20)

/** Lines that the child had written when it was killed; the last may be half. */
async function killedAfter(acknowledged: number, folder: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
    if (text.split('\n').length > acknowledged) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  expect(signal).toBe('SIGKILL')
  return text.slice(0, text.lastIndexOf('\n')).split('\n')
}

test(
  `nothing acknowledged is lost in ${ROUNDS} rounds of kill -9, and the database stays whole`,
  { timeout: ROUNDS * 30_000 },
  async () => {
    const folder = await stateFolder()
    const path = `${folder}/events.db`
    let all = 0
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      // Some while the very first commit is made, some when the log was moved into the database several times.
      const lines = await killedAfter(1 + ((round * 7919) % 3000), folder, round)
      const found = new Map(
        ask<{ id: number; message: string }>(
          path,
          'SELECT id, message FROM events WHERE boot_id = ?',
          `boot-${round}`,
        ).map(({ id, message }) => [`${id} ${message}`, id]),
      )
      expect(lines.filter((line) => !found.has(line))).toEqual([])
      expect(Math.min(...found.values())).toBeGreaterThan(before)
      before = Math.max(...found.values())
      all += lines.length
      expect(ask(path, 'PRAGMA quick_check')).toEqual([{ quick_check: 'ok' }])
    }
    expect(all).toBeGreaterThan(ROUNDS)
    const store = storeIn(folder)
    await store.append([event('after all that')])
    expect(store.health()).toMatchObject({ state: 'recording', problems: [] })
    expect(await store.setAside()).toEqual([])
    expect(ask(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    // An event and the place where its source goes on are kept together.
    const [cursor] = ask<{ value: string }>(path, `SELECT value FROM cursors WHERE name = 'writer-0'`)
    const [round, count] = cursor!.value.split('/')
    const kept = ask(path, 'SELECT id FROM events WHERE message = ?', `${round}/0/${count}/0`)
    expect(kept).toHaveLength(1)
  },
)
