/** What a node has uploaded, for people: also of one that is gone for ever. */
import type { FastifyInstance } from 'fastify'
import { BUNDLE_NAME } from './bundle-key.ts'
import { nodeOf, type Fleet } from './nodes.ts'
import { Problem } from './problems.ts'
import type { Storage } from './storage.ts'

/** What a page shows. */
const SHOWN = 20

interface Params {
  readonly id: string
  readonly name: string
}

export function bundleRoutes(app: FastifyInstance, { nodes }: Fleet, storage: Storage): void {
  app.get<{ Params: Params }>('/api/nodes/:id/bundles', async ({ params }) => {
    const { id } = nodeOf(nodes, params.id)
    const found = await storage.bundles(id, SHOWN)
    return { bundles: found.map((one) => Object.assign(one, { href: `/api/nodes/${id}/bundles/${one.name}` })) }
  })
  // The address of a bundle in the storage is a secret that lasts for minutes: it is made when somebody wants it.
  app.get<{ Params: Params }>('/api/nodes/:id/bundles/:name', async ({ params, log }, reply) => {
    const { id } = nodeOf(nodes, params.id)
    const name = params.name === 'latest' ? await latest(id, storage) : params.name
    if (!BUNDLE_NAME.test(name))
      throw new Problem('bundle-unknown', 'accepted: latest, or debug-NODE-TIME-ID.tar.gz', { node: id })
    const address = await storage.download(id, name)
    log.info({ outcome: 'sent-on', node: id, name }, 'a stored bundle')
    return reply.redirect(address, 302)
  })
}

async function latest(node: string, storage: Storage): Promise<string> {
  const [newest] = await storage.bundles(node, 1)
  if (newest) return newest.name
  throw new Problem('bundle-unknown', 'the node has uploaded none, or they were deleted', { node })
}
