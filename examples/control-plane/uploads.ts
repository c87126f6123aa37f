/** Where a node may put a bundle: POST /api/nodes/:id/uploads, as docs/uploads-protocol.md of diagd says. The bundle itself goes past the control plane. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { headersOf } from './header-file.ts'
import type { Fleet, Node } from './nodes.ts'
import { Problem } from './problems.ts'
import type { Storage } from './storage.ts'
import { parseQuestion, type Question } from './upload-question.ts'

/** 10 000 parts with their ETags are 0.7 MiB. */
const MOST_QUESTION_BYTES = 2 * 1024 * 1024

type Asked = FastifyRequest<{ Params: { id: string } }>

export function uploadRoute(app: FastifyInstance, { nodes }: Fleet, storage: Storage): void {
  app.post<{ Params: { id: string } }>('/api/nodes/:id/uploads', {
    bodyLimit: MOST_QUESTION_BYTES,
    // Before the body is read: nothing of a stranger's is.
    onRequest: async (request: Asked) => expectItself(request, nodes.get(request.params.id)),
    handler: async (request: Asked) => {
      const node = request.params.id
      const question = parseQuestion(request.body, node)
      const answer = await answered(question, node, storage)
      const { action, name } = question
      const more = action === 'complete' ? { sizeBytes: question.sizeBytes, sha256: question.sha256 } : {}
      request.log.info({ outcome: 'answered', node, action, name, ...more }, 'upload')
      return answer
    },
  })
}

function answered(question: Question, node: string, storage: Storage): Promise<object> {
  switch (question.action) {
    case 'start':
      return storage.start(node, question)
    case 'parts':
      return storage.moreParts(node, question)
    case 'complete':
      return storage.complete(node, question)
    case 'abort':
      return storage.abort(node, question)
  }
}

/** Who asks has to be that node. Whoever is not learns nothing: neither which nodes there are, nor which of them may upload; the log has it. */
async function expectItself({ headers, log, params: { id } }: Asked, node: Node | undefined): Promise<void> {
  const refuse = (why: string) => {
    log.warn({ why }, 'an upload is refused')
    return new Problem('upload-refused', `the credential is not that of node ${JSON.stringify(id.slice(0, 80))}`)
  }
  if (!node) throw refuse('there is no such node')
  if (node.uploadHeaderFile === undefined) throw refuse('the node has no uploadHeaderFile')
  const { authorization } = await headersOf(id, 'uploadHeaderFile', node.uploadHeaderFile)
  if (authorization === undefined) throw refuse('its uploadHeaderFile has no line "Authorization: …"')
  if (headers.authorization === undefined) throw refuse('there is none')
  if (!isSame(headers.authorization, authorization)) throw refuse('it is another one')
}

/** Takes as long wherever they begin to differ. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(one!, other!)
}
