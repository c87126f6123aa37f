/** Stands before every route: who asks, and whether that is enough. A route that names no scope is refused when it is added. */
import type { FastifyInstance } from 'fastify'
import type { Scope } from '../../config/scopes.ts'
import { createAuthenticate, type AuthDeps } from './authenticate.ts'
import type { Identity } from './identity.ts'
import { refuseCredentialInQuery } from './query.ts'
import { insufficient } from './refusals.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a credential. Everything else names its scope. */
    open?: boolean
    /** What a credential has to be good for. */
    scope?: Scope
  }
  interface FastifyRequest {
    /** Who asks; null on an open route, and where nobody was let in. */
    identity: Identity | null
  }
}

/** To be called before the first route is added. */
export function guard(app: FastifyInstance, deps: AuthDeps): void {
  const authenticate = createAuthenticate(deps)
  app.decorateRequest('identity', null)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.open && config?.scope === undefined) {
      throw new Error(`${[method].flat().join(', ')} ${url} says neither which scope it needs nor that it is open`)
    }
  })
  app.addHook('onRequest', async (request) => {
    refuseCredentialInQuery(request.query)
    const { open, scope } = request.routeOptions.config
    if (request.is404 || open) return
    const identity = await authenticate(request)
    request.identity = identity
    if (!scope || !identity.scopes.includes(scope)) throw insufficient(identity, scope!)
  })
}
