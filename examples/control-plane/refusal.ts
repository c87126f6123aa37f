/** A node that answers, but with no bundle: whose business is it? */
import type { IncomingMessage } from 'node:http'
import type { Node } from './nodes.ts'
import { Problem } from './problems.ts'

/** What a problem of diagd's could ever need, and more. */
const MAX_BYTES = 64 * 1024
const PATIENCE_MS = 10_000

/** About the question or the moment: these are for who asked, with the node's own status and code. */
const PASSED_ON = new Set([400, 429, 503])

export async function refusalOf(answer: IncomingMessage, node: Node, method: 'GET' | 'HEAD'): Promise<Problem> {
  const status = answer.statusCode!
  // The answer to a HEAD is its status alone.
  const said = method === 'HEAD' ? SILENT : await problemIn(answer)
  const words = said?.detail ?? 'without a word'
  const detail = `${node.address} answers ${status}: ${words}`
  // Not a 401 to the browser: it is not the browser's credential that is wrong.
  if (status === 401 || status === 403 || said?.code === 'too-many-tries')
    return new Problem('node-refused', detail, { node: node.id })
  if (!said) return new Problem('node-bad-answer', `${detail}; diagd says why`, { node: node.id })
  if (PASSED_ON.has(status)) {
    const { code, title, parameter } = said
    const { 'retry-after': later = '' } = answer.headers
    const as = { status, code, title, ...(parameter === undefined ? {} : { parameter }) }
    return new Problem('node-says', detail, {
      node: node.id,
      as,
      ...(/^\d{1,5}$/.test(later) ? { retryAfter: later } : {}),
    })
  }
  return new Problem(status >= 500 ? 'node-failed' : 'node-bad-answer', detail, { node: node.id })
}

interface Said {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly parameter?: string
}

const SILENT: Said = { code: 'node-says', title: 'The node says no', detail: 'the reason comes with GET' }

async function problemIn(answer: IncomingMessage): Promise<Said | undefined> {
  if (!answer.headers['content-type']?.startsWith('application/problem+json')) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  answer.setTimeout(PATIENCE_MS, () => answer.destroy())
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) return undefined
      chunks.push(chunk)
    }
    const { code, title, detail, parameter } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    if (typeof code !== 'string' || typeof title !== 'string' || typeof detail !== 'string') return undefined
    return { code, title, detail, ...(typeof parameter === 'string' ? { parameter } : {}) }
  } catch {
    return undefined
  }
}
