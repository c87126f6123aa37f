/** A daemon that sends bundles to where nobody answers: what it says at its start, and how it ends. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ownFolder, startDaemon } from '../helpers/daemon.ts'
import { ask, until } from '../record/events/kit.ts'

const unit = readFileSync(new URL('../../systemd/diagd.service', import.meta.url), 'utf8')
const [, stopSeconds] = /^TimeoutStopSec=(\d+)s$/m.exec(unit)!

/** Takes everything, and answers nothing. */
async function silentServer(): Promise<{ endpoint: string; heard: () => string }> {
  let heard = ''
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
    onTestFinished(() => void socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard: () => heard }
}

test('what no trigger can listen to is told in the log and in /health, and is no fault', async () => {
  const daemon = await startDaemon({
    DIAGD_UPLOADS: JSON.stringify({ target: 's3://bundles', triggers: { disk: false } }),
    DIAGD_METRICS: 'none',
  })
  const warning = 'uploads: triggers that can never fire: container (containers is none); pressure (metrics is none)'
  const health = (await daemon.ask('GET', '/health')).json() as Record<'warnings' | 'problems' | 'uploads', unknown>
  expect(health.warnings).toEqual([warning])
  expect(health.uploads).toMatchObject({
    silentTriggers: [
      { trigger: 'container', why: 'containers is none' },
      { trigger: 'pressure', why: 'metrics is none' },
    ],
  })
  expect(health.problems).toEqual([])
  expect((await daemon.stop()).stderr.split('\n').filter((line) => line.includes(warning))).toHaveLength(1)
})

test('ends before systemd kills it, though the target never answers, and what was due stays in the outbox', async () => {
  const { endpoint, heard } = await silentServer()
  const folder = ownFolder()
  mkdirSync(join(folder, 'extras.d'))
  writeFileSync(join(folder, 'extras.d/endless.conf'), '$ sleep 1000\n')
  const daemon = await startDaemon(
    {
      DIAGD_UPLOADS: JSON.stringify({ target: 's3://bundles', endpoint, bundle: { only: 'kernel' } }),
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    },
    folder,
  )
  for (const trigger of ['request', 'shutdown'])
    expect((await daemon.ask('POST', '/uploads', { trigger })).status).toBe(202)
  await until(() => /x-amz-meta-trigger: shutdown/i.test(heard()))
  // Somebody downloads what does not come to its end, too.
  const download = daemon.ask('GET', '/debug-package?only=extras').catch((error: Error) => error)
  const running = async () => ((await daemon.ask('GET', '/health')).json() as { bundles: { running: number } }).bundles
  await until(async () => (await running()).running === 1)

  const { child, ended } = daemon.running
  const killing = setTimeout(() => child.kill('SIGKILL'), Number(stopSeconds) * 1000)
  onTestFinished(() => clearTimeout(killing))
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining('diagd stopped') as string })
  expect(await download).toBeInstanceOf(Error)
  const rows = ask(join(daemon.state, 'uploads.db'), 'SELECT trigger, state, tries FROM uploads ORDER BY id')
  expect(rows).toEqual([
    { trigger: 'request', state: 'waiting', tries: 0 },
    { trigger: 'shutdown', state: 'waiting', tries: 0 },
  ])
})
