/**
 * Asks a node for its bundle. Plain node:http, a connection of its own for each: a bundle takes long, so there is nothing to
 * win by keeping connections, and a stale one would pass for a node that hangs up.
 */
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { RequestOptions } from 'node:https'
import { fileOf, headersOf } from './header-file.ts'
import type { Node } from './nodes.ts'
import { Problem } from './problems.ts'
import type { ProblemCode } from './problems.ts'

export interface Patience {
  /** Name, connection and TLS. */
  readonly connectMs: number
  /** diagd answers with the first bytes it has, within a second or two on a healthy machine; a sick one may take longer. */
  readonly firstByteMs: number
  /** Silence in the middle. diagd says something every 10 s, whatever it waits for. There is no limit on the whole. */
  readonly stallMs: number
}

export interface Question {
  readonly method: 'GET' | 'HEAD'
  /** As the browser sent it, with the question mark; empty without. */
  readonly query: string
  /** Of the browser. Only what is in FORWARDED goes on. */
  readonly headers: IncomingHttpHeaders
  readonly requestId: string
  readonly patience: Patience
  /** Aborted when the browser is gone. */
  readonly signal: AbortSignal
}

/** Never `authorization` or `cookie`: those are between the browser and the control plane. */
const FORWARDED = ['accept', 'traceparent', 'tracestate'] as const

/** Resolves with whatever the node answers, its body unread. @throws Problem */
export async function ask(node: Node, question: Question): Promise<IncomingMessage> {
  const { method, query, headers, requestId, signal } = question
  const forwarded = Object.fromEntries(FORWARDED.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])))
  const own = { 'x-request-id': requestId, ...(await credential(node)) }
  const options: RequestOptions = { method, agent: false, signal, headers: { ...forwarded, ...own } }
  const outgoing = await open(node, query, options)
  return answerOf(outgoing, node, question.patience)
}

async function credential({ id, headerFile }: Node): Promise<OutgoingHttpHeaders> {
  return headerFile === undefined ? {} : headersOf(id, 'headerFile', headerFile)
}

async function open(node: Node, query: string, options: RequestOptions): Promise<ClientRequest> {
  const { id, socketPath, url, caFile } = node
  if (!url)
    return httpRequest({ ...options, socketPath: socketPath!, host: 'localhost', path: `/debug-package${query}` })
  // An address may have a path before, when a gateway stands in front of the nodes.
  const path = `${url.pathname.replace(/\/$/, '')}/debug-package${query}`
  const target = { ...options, host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path }
  if (url.protocol === 'http:') return httpRequest(target)
  return httpsRequest(caFile === undefined ? target : { ...target, ca: await fileOf(id, 'caFile', caFile) })
}

function answerOf(outgoing: ClientRequest, node: Node, patience: Patience): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  let connected = false
  const late = (what: string, milliseconds: number) => {
    const problem = new Problem('node-timeout', `${node.address}: ${what} within ${milliseconds / 1000} s`, {
      node: node.id,
    })
    return setTimeout(() => outgoing.destroy(problem), milliseconds)
  }
  let timer = late('no connection', patience.connectMs)
  outgoing.once('socket', (socket) => {
    socket.once(node.url?.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      connected = true
      clearTimeout(timer)
      timer = late('connected, but no answer', patience.firstByteMs)
    })
  })
  outgoing.once('response', resolve)
  outgoing.on('error', (error) => reject(whatHappened(error, node, connected)))
  outgoing.end()
  return promise.finally(() => clearTimeout(timer))
}

function whatHappened(error: NodeJS.ErrnoException, node: Node, connected: boolean): Error {
  if (error instanceof Problem || error.name === 'AbortError') return error
  const code = error.code ?? ''
  const detail = `${node.address}: ${WORDS[code] ?? (error.message || code)}`
  return new Problem(codeOf(code, connected), detail, { node: node.id, cause: error })
}

function codeOf(code: string, connected: boolean): ProblemCode {
  if (code.startsWith('HPE_')) return 'node-bad-answer'
  if (connected) return 'node-cut'
  if (code === 'ETIMEDOUT') return 'node-timeout'
  return /CERT|ISSUER|SIGNATURE|^ERR_(SSL|TLS)|^EPROTO$/.test(code) ? 'node-untrusted' : 'node-unreachable'
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'the connection is refused: the machine is there, and nothing listens (ECONNREFUSED)',
  EHOSTUNREACH: 'there is no way to this address (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to this network (ENETUNREACH)',
  ENOTFOUND: 'the name is not known (ENOTFOUND)',
  EAI_AGAIN: 'the name servers do not answer (EAI_AGAIN)',
  ENOENT: 'there is no such socket: diagd does not run there (ENOENT)',
  EACCES: 'this user may not use the socket; its group may (EACCES)',
  ETIMEDOUT: 'the connection is not answered (ETIMEDOUT)',
  ECONNRESET: 'the connection was cut before the answer (ECONNRESET)',
}
