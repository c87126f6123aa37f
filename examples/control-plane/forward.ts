/** From the node to the browser: every byte as it comes, no faster than it is taken, and never an end that is none. */
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { ask } from './ask.ts'
import type { Patience } from './ask.ts'
import type { Node } from './nodes.ts'
import { Problem } from './problems.ts'
import { refusalOf } from './refusal.ts'

const TYPES = new Set(['application/gzip', 'application/zstd', 'application/x-tar'])
const ATTACHMENT = /^attachment; filename="[\w.+-]{1,200}"$/

export async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  node: Node,
  patience: Patience,
): Promise<void> {
  // The end of an HTTP/1.0 answer is a closed connection: a cut bundle would pass for a whole one.
  if (request.raw.httpVersion === '1.0') throw new Problem('http-version', 'asked over HTTP/1.0', { node: node.id })
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const method = request.method === 'HEAD' ? 'HEAD' : 'GET'
  const query = /\?.*$/s.exec(request.raw.url!)?.[0] ?? ''
  const { headers, id: requestId } = request
  const answer = await ask(node, { method, query, headers, requestId, patience, signal: gone.signal })
  try {
    if (answer.statusCode !== 200) throw await refusalOf(answer, node, method)
    const passed = headersOf(answer, node)
    reply.hijack()
    reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...passed })
    if (method === 'HEAD') reply.raw.end()
    else await pump(answer, reply, patience, request.log.child({ node: node.id }))
  } finally {
    answer.destroy()
  }
}

function headersOf(answer: IncomingMessage, { id, address }: Node): Record<string, string> {
  const { headers, httpVersion } = answer
  const bad = (what: string) => new Problem('node-bad-answer', `${address}: ${what}`, { node: id })
  const bundleId = headers['x-diagd-bundle-id']
  if (typeof bundleId !== 'string') throw bad('answered 200 without X-Diagd-Bundle-Id')
  if (httpVersion === '1.0') throw bad('answered over HTTP/1.0, where a cut bundle passes for a whole one')
  // What else concerns one connection only (hop by hop), or is said by the control plane itself.
  const passed = Object.entries(headers).filter(([name]) => name.startsWith('x-diagd-'))
  // A node that was taken over must not get a page of its own into this origin: it is a file, whatever it says.
  const { 'content-type': type = '', 'content-disposition': disposition = '' } = headers
  return {
    ...(Object.fromEntries(passed) as Record<string, string>),
    'x-accel-buffering': 'no',
    'content-type': TYPES.has(type) ? type : 'application/octet-stream',
    'content-disposition': ATTACHMENT.test(disposition) ? disposition : `attachment; filename="debug-${id}.bin"`,
  }
}

async function pump(
  answer: IncomingMessage,
  reply: FastifyReply,
  patience: Patience,
  log: FastifyBaseLogger,
): Promise<void> {
  const response = reply.raw
  const startedAtMs = performance.now()
  let bytes = 0
  answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
  // One clock for both sides. Node's timer of a socket looks at the kernel's queue: a slow browser is not a stalled one.
  response.setTimeout(patience.stallMs, () => {
    const who = response.writableNeedDrain ? 'the browser took' : 'the node sent'
    answer.destroy(new Error(`${who} no byte for ${patience.stallMs / 1000} s`))
  })
  // Before pipeline closes it gently: what was cut has to look cut.
  answer.once('error', () => response.socket?.resetAndDestroy())
  let left = false
  response.once('close', () => (left = !answer.errored))
  const told = () => ({ bytes, durationMs: Math.round(performance.now() - startedAtMs) })
  try {
    await pipeline(answer, response)
    log.info({ outcome: 'whole', ...told() }, 'bundle passed on')
  } catch (error) {
    const outcome = left ? 'abandoned' : 'cut'
    log.warn({ outcome, reason: (error as Error).message, ...told() }, 'bundle broke off')
  }
}
