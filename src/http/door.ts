/** Through which door a request came: the one place that knows. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** `local`: the unix socket, whose file mode is its lock. `tcp`: anybody who reaches the address. */
export type Door = 'local' | 'tcp'

const localSockets = new WeakSet<Socket>()

/** Says that everybody who comes to this server came through the local door. */
export function markLocal(server: Server): void {
  server.on('connection', (socket) => localSockets.add(socket))
}

/** Nothing known means the less trusted one. */
export function doorOf(request: { raw: { socket: Socket } }): Door {
  return localSockets.has(request.raw.socket) ? 'local' : 'tcp'
}
