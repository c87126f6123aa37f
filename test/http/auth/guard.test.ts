import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { guard } from '../../../src/http/auth/guard.ts'
import { locked } from '../../../src/http/auth/refusals.ts'
import { curl, depsOf, openDoors } from '../../helpers/http.ts'
import { maskAll } from '../../redact/mask-all.ts'

function guarded() {
  const app = Fastify()
  guard(app, depsOf())
  return app
}

test('a route that names neither a scope nor that it is open cannot be added', () => {
  const nothing = () => 'secret'
  expect(() => guarded().get('/forgotten', nothing)).toThrow('GET /forgotten says neither which scope it needs nor')
  expect(() => guarded().route({ method: ['GET', 'POST'], url: '/two', handler: nothing })).toThrow(
    'GET, POST /two says',
  )
  expect(() => guarded().get('/closed', { config: { open: false } }, nothing)).toThrow('/closed')
  expect(() => guarded().get('/open', { config: { open: true } }, nothing)).not.toThrow()
  expect(() => guarded().get('/scoped', { config: { scope: 'read' } }, nothing)).not.toThrow()
})

test('a scoped route is closed to who has none, an open one is not', async () => {
  const app = guarded()
  app.get('/open', { config: { open: true } }, () => 'hello')
  app.get('/scoped', { config: { scope: 'upload' } }, ({ identity }) => identity!.name)
  expect((await app.inject('/open')).body).toBe('hello')
  expect((await app.inject('/scoped')).statusCode).toBe(500)
  await app.close()
})

test('auth: none opens TCP to everybody, whatever they present', async () => {
  const doors = await openDoors(depsOf({ config: { ...depsOf().config, auth: 'none' } }))
  const wrong = ['-H', 'Authorization: Bearer nonsense']
  for (const header of [[], wrong]) {
    expect((await curl('-f', ...header, `${doors.tcp}/debug-package`)).stdout.toString()).toBe('bundle')
  }
  await doors.close()
})

test('what a refusal says is recorded as it was said: nothing in it is taken for a secret', () => {
  const { message } = locked('/run/diagd/diagd.sock')
  expect(maskAll(message)).toBe(message)
})
