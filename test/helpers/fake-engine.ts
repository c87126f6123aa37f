/** An engine of the test's own, that answers as Docker does: what a real one does only now and then, it does at once. */
import { join } from 'node:path'
import { onRequest, ownFolder, peer } from './source.ts'

export interface Written {
  /** Milliseconds after `BEGIN_MS`. */
  readonly atMs: number
  readonly stream: 1 | 2
  readonly text: string
}

export const BEGIN_MS = Date.UTC(2026, 5, 15, 12)

export interface FakeEngine {
  readonly folder: string
  readonly socket: string
  /** By the name of the container; each is in the order of its list, whatever the times say. May be changed. */
  readonly logs: Map<string, readonly Written[]>
}

/** The id of a container is its name in hexadecimal digits, filled up. */
export async function fakeEngine(logs: Readonly<Record<string, readonly Written[]>>): Promise<FakeEngine> {
  const folder = await ownFolder()
  const served = new Map(Object.entries(logs))
  const { path } = await peer(join(folder, 'docker.sock'), (socket) => {
    onRequest(socket, (target) => {
      const name = [...served.keys()].find((known) => target.includes(idOf(known)))
      const body =
        name === undefined
          ? list([...served.keys()])
          : target.includes('/logs')
            ? answer(served.get(name)!, target)
            : '{}'
      socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'), Buffer.from(body)]))
    })
  })
  return { folder, socket: path, logs: served }
}

export function idOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0')
}

function list(names: readonly string[]): string {
  return JSON.stringify(names.map((name) => ({ Id: idOf(name), Names: [`/${name}`], State: 'running', Created: 1 })))
}

function answer(log: readonly Written[], target: string): Buffer {
  const query = new URL(target, 'http://localhost').searchParams
  const [since, until] = ['since', 'until'].map((name) => millisecondsOf(query.get(name) ?? ''))
  const tail = query.get('tail')
  // The last so many come first, the times behind.
  const last = tail === null ? log : log.slice(-Number(tail))
  const fits = last.filter(({ atMs }) => !(atMs < since!) && !(atMs > until!))
  return Buffer.concat(fits.map(frame))
}

/** After `BEGIN_MS`: a number of seconds since 1970 has no room for nanoseconds. */
function millisecondsOf(time: string): number {
  const [seconds, fraction = ''] = time.split('.')
  return time === '' ? Number.NaN : Number(seconds) * 1000 - BEGIN_MS + Number(fraction.padEnd(9, '0')) / 1e6
}

function frame({ atMs, stream, text }: Written): Buffer {
  const body = Buffer.from(`${new Date(BEGIN_MS + atMs).toISOString().replace('Z', '000000Z')} ${text}\n`)
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}
