/** The TCP socket below TLS: only that one can be reset, or told in plain HTTP that this port speaks TLS. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const below = new WeakMap<TLSSocket, Socket>()

/** Has to be called before the server listens. */
export function rememberRawSockets(server: Server): void {
  const open = new Map<string, Socket>()
  server.on('connection', (raw: Socket) => {
    const key = endsOf(raw)
    open.set(key, raw)
    raw.once('close', () => open.delete(key))
  })
  // Node does not tell which one it wrapped; their two ends do.
  const pair = (socket: Socket) => {
    const raw = open.get(endsOf(socket))
    if (raw && socket instanceof TLSSocket) below.set(socket, raw)
  }
  server.on('secureConnection', pair)
  server.prependListener('clientError', (_error: Error, socket: Socket) => pair(socket))
}

/** Itself where there is no TLS; undefined when it is closed already. */
export function rawSocketOf(socket: Socket): Socket | undefined {
  return socket instanceof TLSSocket ? below.get(socket) : socket
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
