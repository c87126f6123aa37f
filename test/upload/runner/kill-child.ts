/**
 * Uploads in a process of their own: state folder, the stage at which it stops to be killed, how many are asked for, and perhaps where a real
 * bucket `bundles` is, with its keys in the environment.
 * What arrives at the target, and what is told, is appended to files at once.
 */
import { appendFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '../../../src/config/limits.ts'
import { parseUploadsKey, type UploadsConfig } from '../../../src/config/uploads.ts'
import { openStoreThread } from '../../../src/record/store-thread.ts'
import { abortStale, startSending } from '../../../src/upload/send/sending.ts'
import type { Sending } from '../../../src/upload/upload.ts'
import { createUploads } from '../../../src/upload/uploads.ts'

const [, , folder = '', stopAt = '', asked = '0', endpoint] = process.argv
const note = (name: string, line: object) => appendFileSync(join(folder, name), `${JSON.stringify(line)}\n`)
const say = (line: string) => void writeSync(1, `${line}\n`)

/** Here the process stands still until it is killed. */
async function stage(name: string): Promise<void> {
  if (name !== stopAt) return
  say(`at ${name}`)
  await new Promise(() => {})
}

/** While nothing is on its way, a minute passes in a millisecond: no wait is long. */
let nowMs = Date.now()
const calls = new Map<object, { ms: number; call: () => void }>()
const ticking = setInterval(() => {
  if (!uploads.health().running) nowMs += 60_000
  for (const [key, one] of calls) if (one.ms <= nowMs && calls.delete(key)) one.call()
}, 1)

const config = parseUploadsKey(
  endpoint === undefined ? { target: 's3://bucket/' } : { target: 's3://bundles/', endpoint, region: 'us-east-1' },
) as UploadsConfig

const uploads = createUploads(
  {
    config,
    limits: DEFAULT_LIMITS,
    recipients: [],
    stateDir: folder,
    node: 'a',
    bootId: 'boot',
    thread: openStoreThread(),
    places: { running: 0, idle: async () => {} },
    engine: () => ({
      collectorIds: [],
      bundleId: (timeMs) => `debug-a-${timeMs}-${Math.random().toString(16).slice(2, 8)}`,
      async collect({ sink }) {
        await stage('running')
        await sink.write(endpoint === undefined ? Buffer.from('one') : Buffer.alloc(12 * 1024 * 1024, 'one'))
        if (endpoint !== undefined) await inParts()
        await stage('sending')
        await sink.write(Buffer.from('two'))
        return { outcome: 'whole' }
      },
    }),
    startSending(job): Sending {
      note('jobs', job)
      if (endpoint !== undefined)
        return startSending(job, { environment: process.env, limits: { partBytes: 5 * 1024 * 1024 } })
      let keep: (id: string) => Promise<void> = async () => {}
      let isBegun = false
      return {
        sentBytes: 0,
        sink: {
          async write() {
            if (!isBegun) await keep(`m-${process.pid}-${job.key}`)
            isBegun = true
            await stage('multipart')
          },
        },
        async end() {
          note('arrived', { key: job.key })
          await stage('arrived')
          return { sent: { key: job.key, sizeBytes: 6, sha256: 'ab', verified: true } }
        },
        abort: async () => {},
        onMultipart: (tell) => void (keep = tell),
      }
    },
    async abortStale(stales, signal) {
      note('stales', stales)
      if (endpoint === undefined) return stales.map(() => undefined)
      return abortStale(config.target, stales, signal, { environment: process.env })
    },
    tell: ({ type, subject, detail }) => note('events', { type, subject, detail }),
    log: { warn() {}, error: (fields) => note('errors', fields) },
  },
  { clock: { now: () => nowMs, at: clockAt } },
)

/** The id of the upload in parts is kept. */
async function inParts(): Promise<void> {
  while ((await uploads.get(1))?.multipartId === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
}

function clockAt(ms: number, call: () => void): () => void {
  const key = {}
  calls.set(key, { ms, call })
  return () => void calls.delete(key)
}

uploads.start()
for (let count = 0; count < Number(asked); count++) {
  const { id } = await uploads.request({ trigger: 'request', reason: `number ${count}`, parameters: {}, timeMs: nowMs })
  say(`kept ${id}`)
  await stage('kept')
}
if (stopAt === '') {
  const all = await uploads.list({ limit: 1000 })
  for (const { id } of all) await uploads.settled(id, new AbortController().signal)
  await stage('end')
  await uploads.close()
  clearInterval(ticking)
  say('all settled')
} else if (stopAt === 'any') {
  await new Promise(() => {})
}
