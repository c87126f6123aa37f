/** Killed at each state of an upload: nothing that was acknowledged is lost, and nothing is sent twice without being said. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SendJob } from '../../../src/upload/upload.ts'
import { ask, stateFolder } from '../../record/events/kit.ts'

const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url))

/** Runs it until it says the line, and kills it then; without a line, to its end. @returns what it said. */
async function run(folder: string, stopAt: string, asked: number, killAt?: (said: string) => boolean): Promise<string> {
  const child = spawn(process.execPath, [CHILD, folder, stopAt, String(asked)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    said += more
    if (killAt?.(said)) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  expect([code, signal]).toEqual(killAt ? [null, 'SIGKILL'] : [0, null])
  return said
}

function lines<T>(folder: string, name: string): T[] {
  const path = join(folder, name)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

const killedAt = (folder: string, stage: string) => run(folder, stage, 1, (said) => said.includes(`at ${stage}\n`))
const rows = (folder: string) =>
  ask<{ state: string; tries: number; multipart_id: string | null }>(
    join(folder, 'uploads.db'),
    'SELECT state, tries, multipart_id FROM uploads',
  )
const killedEvents = (folder: string) =>
  lines<{ type: string; subject: string; detail: { kind?: string } }>(folder, 'events').filter(
    ({ type, detail }) => type === 'upload.failed' && detail.kind === 'killed',
  )

test.each([
  // The stage, what stands in the database then, tries and arrivals in the end.
  ['running', { state: 'running', tries: 1, multipart_id: null }, 2, 1],
  ['multipart', { state: 'running', tries: 1, multipart_id: expect.stringContaining('m-') as string }, 2, 1],
  ['sending', { state: 'running', tries: 1, multipart_id: expect.stringContaining('m-') as string }, 2, 1],
  ['arrived', { state: 'running', tries: 1, multipart_id: expect.stringContaining('m-') as string }, 2, 2],
])('killed at the stage %s, it is sent after the next start', async (stage, row, tries, arrivals) => {
  const folder = await stateFolder()
  await killedAt(folder, stage)
  expect(rows(folder)).toEqual([row])
  await run(folder, '', 0)
  expect(rows(folder)).toEqual([{ state: 'uploaded', tries, multipart_id: null }])
  const arrived = lines<{ key: string }>(folder, 'arrived').map(({ key }) => key)
  expect(arrived).toHaveLength(arrivals)
  // What arrived without a word is written over, and it is said that it may have.
  expect(new Set(arrived).size).toBe(1)
  expect(killedEvents(folder)).toHaveLength(1)
  const [first, second] = lines<SendJob>(folder, 'jobs')
  expect(second!.key).toBe(first!.key)
  // What it left is removed at the start, and is not for the next try.
  const left = { key: first!.key, multipartId: expect.stringContaining('m-') as string }
  expect(lines(folder, 'stales')).toEqual(row.multipart_id === null ? [] : [[left]])
  expect(second!.stale).toBeUndefined()
})

test('killed when all is done, nothing is sent again', async () => {
  const folder = await stateFolder()
  await run(folder, '', 3)
  const before = lines(folder, 'arrived').length
  await run(folder, '', 0)
  expect(before).toBe(3)
  expect(lines(folder, 'arrived')).toHaveLength(3)
  expect(killedEvents(folder)).toEqual([])
})

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 4)

test(
  `in ${ROUNDS} rounds of kill -9 at any moment nothing that was acknowledged is lost`,
  { timeout: ROUNDS * 30_000 },
  async () => {
    const folder = await stateFolder()
    const kept = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const most = 1 + ((round * 7919) % 23)
      const said = await run(folder, 'any', 1000, (text) => text.split('\n').length > most)
      for (const [, id] of said.matchAll(/^kept (\d+)\n/gm)) kept.add(id!)
    }
    await run(folder, '', 0)
    const found = ask<{ id: number; state: string; key: string }>(
      join(folder, 'uploads.db'),
      'SELECT id, state, key FROM uploads',
    )
    const uploaded = new Set(found.filter(({ state }) => state === 'uploaded').map(({ id }) => String(id)))
    expect([...kept].filter((id) => !uploaded.has(id))).toEqual([])
    expect(kept.size).toBeGreaterThanOrEqual(ROUNDS)
    // More than once under a key only where it was said that diagd died meanwhile.
    const died = new Set(killedEvents(folder).map(({ subject }) => subject))
    const arrived = lines<{ key: string }>(folder, 'arrived').map(({ key }) => key)
    const twice = arrived.filter((key, index) => arrived.indexOf(key) !== index)
    const told = (key: string) => died.has(String(found.find((row) => row.key === key)?.id))
    expect(twice.filter((key) => !told(key))).toEqual([])
    expect(lines(folder, 'errors')).toEqual([])
    expect(ask(join(folder, 'uploads.db'), 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  },
)
