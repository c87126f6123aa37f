/** The one command: npm run example:control-plane -- [--port 8080] [--node ID=ADDRESS]… [NODES.yaml] */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { buildControlPlane } from './app.ts'
import { fleetOf, loadFleet } from './nodes.ts'

/** Who reaches it gets bundles: it has no login, so it answers to this machine only. Put one in front (README). */
const HOST = '127.0.0.1'

try {
  await serve()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

async function serve(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string', default: '8080' }, node: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  })
  const file = positionals[0] ?? join(import.meta.dirname, 'nodes.yaml')
  const fleet = values.node.length > 0 ? fleetOf(values.node) : await loadFleet(file)
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
  const app = await buildControlPlane({ fleet, logger })
  const address = await app.listen({ host: HOST, port: Number(values.port), listenTextResolver: () => 'listens' })
  console.error(`nodes: ${[...fleet.nodes.keys()].join(', ')}; open ${address}/`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
}
