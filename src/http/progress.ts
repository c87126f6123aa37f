/** Whether a client takes anything: what the kernel holds for it and has not seen acknowledged. */
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { rawSocketOf } from './raw-socket.ts'

/**
 * Bytes on their way to the client; undefined where the kernel does not tell (unix sockets, other systems). A connection
 * of the same two ports between other addresses counts as the same: that is rare, and costs a moment of patience.
 */
export async function bytesUnderWay(socket: Socket): Promise<number | undefined> {
  const { localPort, remotePort } = rawSocketOf(socket) ?? {}
  if (localPort === undefined || remotePort === undefined) return undefined
  // `  0: 0100007F:1D09 0100007F:A2C4 01 0000A410:00000000 …`: local, remote, state, sent and not acknowledged, …
  const row = new RegExp(`:${hex(localPort)} [0-9A-F]+:${hex(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`, 'g')
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')))
  const rows = [...tables.join('\n').matchAll(row)]
  return rows.length > 0 ? rows.reduce((sum, [, bytes]) => sum + Number.parseInt(bytes!, 16), 0) : undefined
}

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
