/** What object storage says when it says no, as what the control plane tells the node or the browser. */
import { Problem } from './problems.ts'

/** As the SDK throws it. */
interface Refusal {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** What is wrong with the parts that a node tells of. */
const OF_THE_NODE = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'MalformedXML', 'NoSuchUpload'])
const RETRY_AFTER_S = '10'

export function failedThere(error: unknown, host: string, node: string): Problem {
  if (error instanceof Problem) return error
  const { name = 'Error', message = '', code, $metadata = {} } = error as Refusal
  const { httpStatusCode: status } = $metadata
  const answer = status === undefined ? '' : ` answers ${status}`
  const detail = `${host}${answer}: ${code ?? name} ${message}`.trim()
  const options = { node, cause: error }
  if (OF_THE_NODE.has(name)) return new Problem('upload-invalid', detail, options)
  if (status === 503 || status === 429)
    return new Problem('storage-busy', detail, { ...options, retryAfter: RETRY_AFTER_S })
  return new Problem('storage-failed', detail, options)
}

/** There is no such object, or no such upload (any more). */
export function isGone(error: unknown): boolean {
  const { name = '', $metadata = {} } = error as Refusal
  return name === 'NoSuchUpload' || name === 'NoSuchKey' || $metadata.httpStatusCode === 404
}
