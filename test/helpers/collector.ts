/** A collector of the test's own: keeps what it gets, and answers what the test says. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

interface Got {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** `reset` breaks the connection, `silence` never answers. */
type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Uint8Array }
  | 'reset'
  | 'silence'

export interface Collector {
  readonly url: URL
  readonly got: readonly Got[]
  /** From now on; one that gives nothing answers by itself. Without it: 200 and nothing else. */
  answer(next: (got: Got, response: ServerResponse) => Answer | undefined): void
  /** Resolves when so many requests have come. */
  until(count: number): Promise<void>
  close(): Promise<void>
}

export async function startCollector(tls?: { cert: Buffer; key: Buffer }): Promise<Collector> {
  const got: Got[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  let answer: Parameters<Collector['answer']>[0] = () => ({ status: 200 })
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks) }
      got.push(one)
      for (const { count, resolve } of waiting) if (got.length >= count) resolve()
      const said = answer(one, response)
      if (said === 'reset') response.socket!.resetAndDestroy()
      else if (typeof said === 'object') response.writeHead(said.status, said.headers).end(said.body)
    })
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  onTestFinished(close)
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/`),
    got,
    answer: (next) => void (answer = next),
    async until(count) {
      if (got.length >= count) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ count, resolve })
      await promise
    },
    close,
  }
}
