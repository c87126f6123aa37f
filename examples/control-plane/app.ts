/** The control plane without any address: pages for people, the way of a bundle from the node to their browser, and where nodes may put theirs. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { Patience } from './ask.ts'
import { bundleRoutes } from './bundles.ts'
import { forward } from './forward.ts'
import { nodeOf, type Fleet } from './nodes.ts'
import { listPage, nodePage } from './pages.ts'
import { Problem, sendProblem } from './problems.ts'
import { uploadRoute } from './uploads.ts'

export const PATIENCE: Patience = { connectMs: 5000, firstByteMs: 30_000, stallMs: 60_000 }

interface Options {
  readonly fleet: Fleet
  readonly logger: FastifyBaseLogger
  readonly patience?: Patience
  /** By which URLs of the storage are signed. */
  readonly now?: () => Date
}

const ALWAYS = {
  'cache-control': 'no-store, no-transform',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const ASSETS = {
  'page.js': 'text/javascript; charset=utf-8',
  'download.js': 'text/javascript; charset=utf-8',
  'keep.js': 'text/javascript; charset=utf-8',
  'stored.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

export async function buildControlPlane({
  fleet,
  logger,
  patience = PATIENCE,
  now,
}: Options): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId,
    frameworkErrors: (error, _request, reply) => sendProblem(reply.headers(ALWAYS), error),
    // The automatic one would have a node make a bundle for nobody.
    exposeHeadRoutes: false,
    // Who still downloads when it stops gets a cut stream, which shows as one.
    forceCloseConnections: true,
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...ALWAYS, 'x-request-id': request.id })
    refuseStrangers(request, fleet.hosts)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(reply, new Problem('not-found', request.url.slice(0, 200))))
  app.setErrorHandler((error, request, reply) => {
    if (reply.raw.destroyed) {
      request.log.info({ outcome: 'abandoned' }, 'the browser left before the node answered')
      return reply.hijack()
    }
    if (error instanceof Problem) {
      const { code, message, options } = error
      request.log.warn({ outcome: 'refused', node: options.node, code }, message)
    } else {
      request.log.error({ outcome: 'refused', err: error }, 'a mistake of the control plane')
    }
    return sendProblem(reply, error)
  })
  await pageRoutes(app, fleet)
  bundleRoute(app, fleet, patience)
  if (fleet.storage) {
    // Its library takes a second to load, which who has no storage does not wait for.
    const { openStorage } = await import('./storage.ts')
    const storage = openStorage(fleet.storage, now)
    uploadRoute(app, fleet, storage)
    bundleRoutes(app, fleet, storage)
  }
  await app.ready()
  return app
}

function genReqId({ headers }: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

/** No login here (README): so at least no page of somebody else may use the browser of who may reach this one. */
function refuseStrangers({ headers, url }: FastifyRequest, hosts: readonly string[]): void {
  const name = URL.parse(`http://${headers.host}`)?.hostname.replace(/^\[|\]$/g, '') ?? ''
  // A page that lets its own name point here (DNS rebinding) has a name: an IP address is none.
  if (isIP(name) === 0 && name !== 'localhost' && !hosts.includes(name)) {
    throw new Problem(
      'not-ours',
      `the host ${JSON.stringify(name)} is none of: an IP address, localhost, hosts of the nodes file`,
    )
  }
  const { 'sec-fetch-site': site = 'none' } = headers
  if (url.startsWith('/api/') && site !== 'same-origin' && site !== 'none') {
    throw new Problem('not-ours', `Sec-Fetch-Site is ${JSON.stringify(site)}; accepted: same-origin, none`)
  }
}

async function pageRoutes(app: FastifyInstance, { nodes, storage }: Fleet): Promise<void> {
  const html = 'text/html; charset=utf-8'
  app.get('/', (_request, reply) => reply.type(html).send(listPage([...nodes.values()])))
  app.get<{ Params: { id: string } }>('/nodes/:id', (request, reply) => {
    return reply.type(html).send(nodePage(nodeOf(nodes, request.params.id), storage !== undefined))
  })
  for (const [name, type] of Object.entries(ASSETS)) {
    const content = await readFile(join(import.meta.dirname, 'page', name))
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).send(content))
  }
}

function bundleRoute(app: FastifyInstance, { nodes }: Fleet, patience: Patience): void {
  app.route<{ Params: { id: string } }>({
    method: ['GET', 'HEAD'],
    url: '/api/nodes/:id/debug-package',
    handler: async (request, reply) => {
      const node = nodeOf(nodes, request.params.id)
      await forward(request, reply, node, patience)
      return reply
    },
  })
}
