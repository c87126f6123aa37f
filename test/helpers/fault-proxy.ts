/** A TCP proxy that breaks what passes through it, request by request. */
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Fault =
  /** The connection is reset once so many bytes of the request have passed. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** So many bytes are taken, then none, and nothing is answered. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The request does not arrive; this is the answer to it. */
  | { readonly kind: 'answer'; readonly text: string }
  /** The request arrives; its answer does not. */
  | { readonly kind: 'lose-answer' }
  /** The request arrives, and is never answered; the connection stays. */
  | { readonly kind: 'silence' }

export interface FaultProxy {
  readonly endpoint: URL
  /** `PUT /bucket/key?partNumber=1&…`, in the order of their coming. */
  readonly requests: string[]
  /** Of each of them, its headers by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>[]
  /** Each resolves with the next request that is like this; those that were before do not count. */
  next(like: RegExp): Promise<string>
}

/** `faultOf`: of the request, and how many like it came before (the same line of request). */
export async function openFaultProxy(
  port: number,
  faultOf: (request: string, before: number) => Fault | undefined = () => undefined,
): Promise<FaultProxy> {
  const requests: string[] = []
  const headers: Record<string, string>[] = []
  const waiting = new Set<{ like: RegExp; found: (request: string) => void }>()
  const sockets = new Set<Socket>()
  const came = (request: string, head: string) => {
    const before = requests.filter((one) => one === request).length
    requests.push(request)
    headers.push(headersOf(head))
    for (const one of waiting) {
      if (!one.like.test(request)) continue
      waiting.delete(one)
      one.found(request)
    }
    return faultOf(request, before)
  }
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    pass(client, upstream, came)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    requests,
    headers,
    next: (like) => new Promise((found) => waiting.add({ like, found })),
  }
}

/** A request begins with a chunk of its own: clients here wait for an answer before they ask again. */
function pass(client: Socket, upstream: Socket, came: (request: string, head: string) => Fault | undefined): void {
  let fault: Fault | undefined
  let passed = 0
  let missing = 0
  client.on('data', (chunk) => {
    const head = /^((?:PUT|POST|GET|HEAD|DELETE) \S+) HTTP\/1\.1\r\n/.exec(chunk.toString('latin1', 0, 4096))
    if (head) {
      fault = came(head[1]!, chunk.toString('latin1').split('\r\n\r\n', 1)[0]!)
      passed = 0
      missing = lengthOf(chunk)
    }
    passed += chunk.length
    missing -= chunk.length
    if (fault?.kind === 'answer') {
      if (missing <= 0) client.write(fault.text)
      return
    }
    if (fault?.kind === 'cut' && passed > fault.afterBytes) return destroyBoth(client, upstream)
    if (fault?.kind === 'stall' && passed > fault.afterBytes) return void client.pause()
    if (!upstream.write(chunk)) {
      client.pause()
      upstream.once('drain', () => client.resume())
    }
  })
  upstream.on('data', (chunk) => {
    if (fault?.kind === 'lose-answer') return destroyBoth(client, upstream)
    if (fault?.kind !== 'silence') client.write(chunk)
  })
  client.on('close', () => upstream.destroy())
  upstream.on('close', () => client.destroy())
}

function headersOf(head: string): Record<string, string> {
  const lines = head.split('\r\n').slice(1)
  return Object.fromEntries(lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.replace(/^[^:]*:\s*/, '')]))
}

/** Of head and body. */
function lengthOf(chunk: Buffer): number {
  const text = chunk.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  return end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
}

function destroyBoth(client: Socket, upstream: Socket): void {
  client.resetAndDestroy()
  upstream.destroy()
}

/** An answer as bytes. */
export function answerOf(status: string, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) })
  return `HTTP/1.1 ${status}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
