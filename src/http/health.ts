/** GET /health: is it alive, and what is it doing without. Open to everybody, so nothing secret is in it. */
import type { FastifyInstance } from 'fastify'
import type { AppDeps } from './app.ts'

export function healthRoutes(app: FastifyInstance, deps: AppDeps): void {
  app.get('/health', { config: { open: true } }, () => deps.health())
  app.head('/health', { config: { open: true } }, (_request, reply) => reply.send())
}
