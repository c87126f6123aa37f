/** Opening sources in tests: a context of their own, and everything that a source hands over. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Opened, SourceContext, SourceEnd, SourceLimits } from '../../src/sources/source.ts'

const wholeTime = { sinceMs: 0, untilMs: Date.UTC(2100, 0), reason: 'window' }

export function sourceContext(
  limits: Partial<SourceLimits> = {},
  context: Partial<SourceContext> = {},
): SourceContext & { limits: SourceLimits } {
  return {
    signal: new AbortController().signal,
    root: '',
    path: '/nonexistent',
    timeZone: 'Etc/UTC',
    intervals: async () => [wholeTime],
    dbus: { dead: false },
    ...context,
    limits: { entryBytes: 64 * 1024 * 1024, headBytes: 64 * 1024, commandMs: 10_000, stallMs: 10_000, ...limits },
  }
}

/** Reads a source to its end; what it throws half-way is its end too. */
export async function drained({ chunks }: Pick<Opened, 'chunks'>) {
  const parts: Buffer[] = []
  const done = (end: SourceEnd | Error) => ({ bytes: Buffer.concat(parts), text: Buffer.concat(parts).toString(), end })
  try {
    for (;;) {
      const step = await chunks.next()
      if (step.done) return done(step.value)
      parts.push(Buffer.from(step.value))
    }
  } catch (error) {
    return done(error as Error)
  }
}

/** Removed when the test ends. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A peer on a unix socket that does what it likes with every connection; gone when the test ends. */
export async function peer(path: string, onConnection: (socket: Socket) => void): Promise<Peer> {
  const open = new Set<Socket>()
  let connections = 0
  let tell = () => {}
  const server = createServer((socket) => {
    connections += 1
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      if (open.size === 0) tell()
    })
    onConnection(socket)
  })
  await listen(server, path)
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    path,
    connections: () => connections,
    allClosed: () => new Promise((resolve) => (open.size === 0 && connections > 0 ? resolve() : (tell = resolve))),
  }
}

export interface Peer {
  readonly path: string
  /** How often somebody connected. */
  connections(): number
  /** Resolves when no connection is open any more. */
  allClosed(): Promise<void>
}

const listen = (server: Server, path: string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })

/** The end of an HTTP request's head: from here on a peer may answer. */
export function onRequest(socket: Socket, answer: (path: string) => void): void {
  let head = ''
  socket.on('data', (chunk) => {
    head += chunk.toString('latin1')
    if (head.includes('\r\n\r\n')) answer(head.split(' ')[1] ?? '')
  })
}
