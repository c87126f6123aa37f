/** GET /system-info: what machine this is. */
import type { FastifyInstance } from 'fastify'
import { SourceError } from '../sources/source.ts'
import { HttpError } from './errors.ts'

export interface SystemInfoDeps {
  /** The text of the JSON; undefined where there is none to be had. */
  readonly systemInfo?: (() => Promise<Buffer>) | undefined
}

export function systemInfoRoutes(app: FastifyInstance, { systemInfo }: SystemInfoDeps): void {
  app.get('/system-info', { config: { scope: 'read' } }, async (_request, reply) => {
    if (!systemInfo) throw new HttpError('not-found', 'this diagd does not look at the machine')
    try {
      return await reply.type('application/json; charset=utf-8').send(await systemInfo())
    } catch (error) {
      throw error instanceof SourceError ? new HttpError('bundle-failed', error.message) : error
    }
  })
}
