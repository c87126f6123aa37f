/** A server in front of the routes: an instance of Fastify listens once, so each door has one of its own. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { limitConnections } from './connections.ts'
import { gate } from './gate.ts'
import type { GateOptions } from './gate.ts'
import { HEADER_BYTES, HEADERS, TIMEOUTS } from './limits.ts'
import { answerMalformed } from './malformed.ts'
import { rememberRawSockets } from './raw-socket.ts'

export interface ServerOptions extends GateOptions {
  readonly tls?: SecureContextOptions | undefined
  readonly limitPerAddress: boolean
}

export function createDoor(app: FastifyInstance, { tls, limitPerAddress, ...options }: ServerOptions): Server {
  const handler = gate((request, response) => app.routing(request, response), options)
  // The gate says what is wrong with a request without Host; Node alone would send a bare status.
  const common = { ...TIMEOUTS, maxHeaderSize: HEADER_BYTES, requireHostHeader: false }
  // A client may show a certificate; who shows none, or a bad one, may still present a token.
  const asking = { requestCert: tls?.ca !== undefined, rejectUnauthorized: false }
  const server = tls ? createTlsServer({ ...common, ...asking, ...tls }, handler) : createServer(common, handler)
  server.maxHeadersCount = HEADERS
  // Node alone would answer a bare 417.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response))
  // Node alone puts it in the midst of this answer when that has to wait for another one on the connection.
  server.on('checkContinue', (request, response) => {
    if (response.socket) response.writeContinue()
    server.emit('request', request, response)
  })
  rememberRawSockets(server)
  limitConnections(server, app.log, limitPerAddress)
  answerMalformed(server)
  return server
}
