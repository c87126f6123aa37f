/** What others made to receive OTLP: VictoriaMetrics, and OpenTelemetry's definitions of the protocol. test/otlp/setup.ts gets them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe } from 'vitest'
import { startQueryServer, type QueryServer } from './prometheus.ts'

const CACHE =
  process.env['XDG_CACHE_HOME'] || (process.env['HOME'] ? join(process.env['HOME'], '.cache') : '/var/cache')

export const RECEIVERS = join(CACHE, 'diagd-otlp-test')
const VICTORIA_METRICS = join(RECEIVERS, 'usr/bin/victoria-metrics')
const PYTHON = join(RECEIVERS, 'usr/lib/python3/dist-packages')

export const hasReceivers = existsSync(VICTORIA_METRICS) && existsSync(join(PYTHON, 'opentelemetry/proto'))

/** Skipped where they are missing; in CI they have to be there. */
export function describeWithReceivers(title: string, body: () => void): void {
  if (!hasReceivers && process.env['CI']) throw new Error('this needs what test/otlp/setup.ts gets')
  describe.runIf(hasReceivers)(`${hasReceivers ? '' : 'SKIPPED: needs test/otlp/setup.ts: '}${title}`, body)
}

/** Its endpoint, and queries in the language of Prometheus. */
export async function startVictoriaMetrics(): Promise<QueryServer & { readonly endpoint: URL }> {
  const server = await startQueryServer((port, folder) => [
    VICTORIA_METRICS,
    `-httpListenAddr=127.0.0.1:${port}`,
    `-storageDataPath=${folder}/data`,
    '-opentelemetry.usePrometheusNaming',
    '-search.latencyOffset=0s',
  ])
  return { ...server, endpoint: new URL(`${server.url}/opentelemetry`) }
}

/** The request as the definitions of OpenTelemetry read it: JSON with the names of the protocol, 64-bit integers as text. */
export async function decoded(signal: 'logs' | 'metrics', body: Buffer): Promise<unknown> {
  const name = signal === 'logs' ? 'Logs' : 'Metrics'
  const program = `
import sys
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.${signal}.v1.${signal}_service_pb2 import Export${name}ServiceRequest
request = Export${name}ServiceRequest()
request.ParseFromString(sys.stdin.buffer.read())
print(MessageToJson(request))
`
  const env = { PYTHONPATH: PYTHON, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: 'python' }
  const { stdout } = await execa('python3', ['-c', program], { input: body, env, maxBuffer: 64e6 })
  return JSON.parse(stdout)
}
