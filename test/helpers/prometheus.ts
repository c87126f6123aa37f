/** Prometheus as Debian packages it: promtool, and a server of the test's own; and what else speaks its language. */
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, onTestFinished } from 'vitest'
import { temporaryFolder } from './commands.ts'
import { freePort } from './control-plane.ts'

const hasPrometheus = spawnSync('promtool', ['--version']).status === 0
if (!hasPrometheus && process.env['CI']) throw new Error('this needs promtool (Debian package prometheus)')

export function describeWithPrometheus(title: string, body: () => void): void {
  describe.runIf(hasPrometheus)(
    `${hasPrometheus ? '' : 'SKIPPED: needs the Debian package prometheus: '}${title}`,
    body,
  )
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface QueryServer {
  readonly url: string
  /** What a query gives, as soon as it gives something; asked again as long as it does not. */
  until(query: string): Promise<readonly Sample[]>
  /** Of the HTTP API: the data of an answer. */
  api(path: string): Promise<unknown>
}

/** With the text of its configuration. */
export function startPrometheus(config: string): Promise<QueryServer> {
  return startQueryServer((port, folder) => {
    writeFileSync(join(folder, 'prometheus.yml'), config)
    const files = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
    return ['prometheus', ...files, `--web.listen-address=127.0.0.1:${port}`]
  })
}

/** On a port and in a folder of its own, ended with the test. */
export async function startQueryServer(argv: (port: number, folder: string) => string[]): Promise<QueryServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [command, ...args] = argv(port, temporaryFolder())
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4000)))
  let isOver = false
  const ended = new Promise((resolve) => child.once('close', resolve)).then(() => (isOver = true))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const asked = async (path: string) => {
    if (isOver) throw new Error(`${command} ended: ${said}`)
    return fetch(url + path).catch(() => undefined)
  }
  const api = async (path: string) => ((await (await asked(path))!.json()) as { data: unknown }).data
  const isReady = async () => (await asked('/-/ready'))?.ok === true || (await asked('/health'))?.ok === true
  while (!(await isReady())) await delay(50)
  return {
    url,
    api,
    async until(query) {
      for (;;) {
        const data = (await api(`/api/v1/query?query=${encodeURIComponent(query)}`)) as { result: ApiSample[] }
        if (data.result.length > 0) return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
        await delay(50)
      }
    },
  }
}

interface ApiSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}
