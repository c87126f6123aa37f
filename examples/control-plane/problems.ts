/** Everything that can be in the way of a bundle, told apart, as application/problem+json: which node, what happened, what to do. */
import type { FastifyReply } from 'fastify'

export const PROBLEMS = {
  'not-found': { status: 404, title: 'There is nothing here', advice: 'Start at the list of nodes: /' },
  'not-ours': {
    status: 403,
    title: 'This request comes from somebody else’s page, or by a name that is not ours',
    advice: 'Open the page of the node here. A new name of this control plane belongs into hosts of its nodes file.',
  },
  'node-unknown': { status: 404, title: 'No such node', advice: 'The list of nodes is at /' },
  'node-unreachable': {
    status: 502,
    title: 'The node cannot be reached',
    advice:
      'Is the machine up, its address right, its port open to the control plane, and diagd running there (systemctl status diagd)? By the console of the machine: diagd collect',
  },
  'node-untrusted': {
    status: 502,
    title: 'Who answers cannot prove to be the node',
    advice: 'Compare the node’s certificate with caFile and the host name in its address. Nothing was sent to it.',
  },
  'node-refused': {
    status: 502,
    title: 'The node refuses the control plane’s credential',
    advice:
      'Make a new one on the node (diagd token create control-plane -o FILE) and put it where headerFile of the node says.',
  },
  'node-timeout': {
    status: 504,
    title: 'The node does not answer in time',
    advice: 'It may be overloaded or cut off; try again. By the console of the machine: diagd collect',
  },
  'node-cut': {
    status: 502,
    title: 'The node broke off before it answered',
    advice: 'Try again. If it stays so, look at the log of diagd there: journalctl -u diagd',
  },
  'node-failed': {
    status: 502,
    title: 'The node could not make a bundle',
    advice: 'The reason is in the log of diagd there: journalctl -u diagd',
  },
  'node-bad-answer': {
    status: 502,
    title: 'What answers there is not diagd, or not one that can be passed on',
    advice: 'Is the address of the node right, and does what is in between speak HTTP/1.1?',
  },
  'node-says': { status: 502, title: 'The node says no', advice: 'The way to it is fine: ask differently, or later.' },
  'http-version': {
    status: 505,
    title: 'This needs HTTP/1.1',
    advice: 'In nginx: proxy_http_version 1.1. Over HTTP/1.0 a cut bundle would pass for a whole one.',
  },
  'upload-refused': {
    status: 401,
    title: 'This is not the credential of that node',
    advice:
      'The line in headersFile of uploads on the node has to be that in uploadHeaderFile of the node here, and its target has to name the node. The log here says what is wrong.',
  },
  'upload-invalid': {
    status: 400,
    title: 'The node asks for what cannot be',
    advice: 'Compare it with docs/uploads-protocol.md of diagd: is there another version on one of the two sides?',
  },
  'storage-busy': { status: 503, title: 'The storage asks for patience', advice: 'Nothing: it is asked again.' },
  'storage-failed': {
    status: 502,
    title: 'The storage refuses the control plane, or does not answer',
    advice: 'Look at storage in the nodes file: endpoint, bucket, and whether its credentials are good for it.',
  },
  'bundle-unknown': {
    status: 404,
    title: 'There is no such bundle',
    advice: 'What the node has uploaded is at /api/nodes/ID/bundles; on the node: diagd upload --list',
  },
  internal: {
    status: 500,
    title: 'The control plane made a mistake',
    advice: 'Its log has the reason, under the request id.',
  },
} as const

export type ProblemCode = keyof typeof PROBLEMS

interface ProblemOptions {
  readonly node?: string
  /** Instead of what the code has, for what the node says itself. */
  readonly as?: { status: number; code: string; title: string; parameter?: unknown }
  readonly retryAfter?: string
  readonly cause?: unknown
}

export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly options: ProblemOptions
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause })
    this.code = code
    this.options = options
  }
}

/** The one place that turns what was thrown into an answer. */
export function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const problem = toProblem(thrown)
  const { node, as, retryAfter } = problem.options
  const { status, title, advice } = PROBLEMS[problem.code]
  const code = as?.code ?? problem.code
  const told = { type: `urn:diagd-control-plane:${problem.code}`, title, status, code, ...as }
  const body = { ...told, node, detail: problem.message, advice, requestId: reply.request.id }
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  return reply
    .code(body.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(body)))
}

function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const { statusCode = 500, message } = thrown as { statusCode?: number; message: string }
  if (statusCode >= 500) return new Problem('internal', 'what went wrong is in its log', { cause: thrown })
  const as = { status: statusCode, code: 'bad-request', title: 'The request cannot be understood' }
  return new Problem('internal', message, { as })
}
