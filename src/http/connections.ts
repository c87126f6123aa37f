/** Connections at once, in all and per address. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { networkOf } from './auth/tries.ts'
import { CONNECTIONS, CONNECTIONS_PER_ADDRESS } from './limits.ts'

/** Knocking must not fill the log. */
const LOG_EVERY_MS = 60_000

/** @param perAddress false behind a proxy and on the unix socket: there is one address for everybody, or none. */
export function limitConnections(server: Server, logger: FastifyBaseLogger, perAddress: boolean): void {
  const turnedAway = countTurnedAway(logger)
  server.maxConnections = CONNECTIONS
  server.on('drop', (peer) => turnedAway(peer?.remoteAddress))
  if (!perAddress) return
  const counts = new Map<string, number>()
  // Before Node's own listener: TLS would begin to shake hands.
  server.prependListener('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const count = (counts.get(network) ?? 0) + 1
    counts.set(network, count)
    socket.once('close', () => {
      const left = counts.get(network)! - 1
      if (left > 0) counts.set(network, left)
      else counts.delete(network)
    })
    if (count <= CONNECTIONS_PER_ADDRESS) return
    turnedAway(socket.remoteAddress)
    socket.resetAndDestroy()
  })
}

function countTurnedAway(logger: FastifyBaseLogger): (address: string | undefined) => void {
  let count = 0
  let saidAtMs = -Infinity
  return (address) => {
    count += 1
    const nowMs = performance.now()
    if (nowMs - saidAtMs < LOG_EVERY_MS) return
    logger.warn(
      { address, connections: count },
      'connections turned away: too many at once, in all or from one address',
    )
    saidAtMs = nowMs
    count = 0
  }
}
