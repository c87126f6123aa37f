/** From the address to a file: every byte counted as it comes, nothing kept that did not come whole. */
import { openKeep } from './keep.js'

/** Says in words what went wrong, and what to do. */
export class Failure extends Error {
  constructor(message, advice, requestId) {
    super(message)
    this.advice = advice
    this.requestId = requestId
  }
}

/**
 * Resolves with `{ name, file, drop }` once the last byte is there. A cut stream rejects: the answer is chunked, so the browser knows
 * an end from a connection that broke.
 */
export async function download(url, { signal, onStart, onBytes }) {
  const response = await ask(url, signal)
  const name = fileName(response.headers.get('content-disposition'))
  const requestId = response.headers.get('x-request-id')
  onStart({ name, requestId })
  const keep = await openKeep()
  let bytes = 0
  try {
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await next(reader, { signal, requestId, bytes: () => bytes })
      if (done) break
      await keep.write(value)
      bytes += value.byteLength
      onBytes(bytes)
    }
    return { name, file: await keep.whole(), drop: keep.drop }
  } catch (error) {
    // Stops the node, whatever it was: a full disk as well as a cut.
    await response.body.cancel().catch(() => {})
    await keep.drop()
    throw error
  }
}

async function ask(url, signal) {
  let response
  try {
    response = await fetch(url, { signal, headers: { accept: 'application/gzip, application/problem+json' } })
  } catch (error) {
    signal.throwIfAborted()
    throw new Failure(
      `The control plane does not answer (${error.message})`,
      'Try again; look after it if it stays so.',
    )
  }
  if (response.ok) return response
  const problem = await response.json().catch(() => ({ title: `The answer is ${response.status}` }))
  const later = response.headers.get('retry-after')
  const advice = [problem.detail, problem.advice, later && `Try again in ${later} s.`].filter(Boolean).join('\n')
  throw new Failure(problem.title, advice, problem.requestId ?? response.headers.get('x-request-id'))
}

async function next(reader, { signal, requestId, bytes }) {
  try {
    return await reader.read()
  } catch (error) {
    signal.throwIfAborted()
    const message =
      bytes() > 0 ? 'Cut half-way: the stream broke off before its end' : 'Cut: the stream broke off at once'
    const advice = `The node, or the way from it, broke off (${error.message}). Try again; the reason is in the log of the control plane.`
    throw new Failure(message, advice, requestId)
  }
}

function fileName(disposition) {
  return /filename="([\w.+-]+)"/.exec(disposition ?? '')?.[1] ?? 'debug-package'
}
