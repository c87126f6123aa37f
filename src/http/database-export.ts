/** A database over HTTP: a copy of one moment, streamed while others write. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Snapshot } from '../sources/sqlite-snapshot.ts'
import { HttpError } from './errors.ts'
import { resetConnection, responseSink } from './stream.ts'

/** Each holds a thread, and keeps SQLite from beginning its log anew. */
const MOST_EXPORTS = 4
const RETRY_AFTER_S = 10

export interface ExportDeps {
  /** What the file is called by. */
  readonly database: 'events' | 'metrics'
  readonly node: string
  /** Of all databases together. */
  readonly exporting: { running: number }
  readonly closing: AbortSignal
  readonly stallMs: number
  readonly open: (signal: AbortSignal) => Promise<Snapshot>
}

export async function sendExport(request: FastifyRequest, reply: FastifyReply, deps: ExportDeps): Promise<void> {
  const { exporting } = deps
  if (exporting.running >= MOST_EXPORTS) {
    const detail = `${MOST_EXPORTS} copies of databases are under way; try again in ${RETRY_AFTER_S} s`
    throw new HttpError('too-many-exports', detail, { headers: { 'retry-after': String(RETRY_AFTER_S) } })
  }
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort(new Error('the client is gone')))
  const signal = AbortSignal.any([gone.signal, deps.closing])
  exporting.running += 1
  try {
    const snapshot = await deps.open(signal)
    try {
      await stream(request, reply, { ...deps, snapshot, signal })
    } finally {
      await snapshot.chunks.return({ whole: false })
    }
  } finally {
    exporting.running -= 1
  }
}

type Streaming = ExportDeps & { readonly snapshot: Snapshot; readonly signal: AbortSignal }

/** Broken off is broken off: the length was told before, and the connection is reset. */
async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  { snapshot: { sizeBytes, mtimeMs, chunks }, signal, stallMs, node, database }: Streaming,
): Promise<void> {
  const response = reply.raw
  const day = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const headers = {
    'content-type': 'application/vnd.sqlite3',
    'content-length': String(sizeBytes),
    'content-disposition': `attachment; filename="${database}-${node}-${day}.db"`,
    'last-modified': new Date(mtimeMs).toUTCString(),
  }
  const begin = () => {
    reply.hijack()
    response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
  }
  const sink = responseSink(response, { begin, onStall: () => resetConnection(response.socket), stallMs })
  try {
    let step = await chunks.next()
    for (; !step.done; step = await chunks.next()) {
      signal.throwIfAborted()
      // The source uses its buffer again, and the kernel may not have taken it yet.
      if (step.value.length > 0) await sink.write(Buffer.from(step.value))
    }
    if (!step.value.whole) throw new Error(step.value.detail ?? 'the copy broke off')
    // Who got as many bytes as were announced may be gone by now.
    await sink.end().catch(() => {})
  } catch (error) {
    request.log.warn({ err: error }, `the copy of the database of ${database} broke off`)
    if (!response.headersSent && !response.destroyed) throw error
    resetConnection(response.socket)
  }
}
