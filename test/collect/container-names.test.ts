import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { containerNames } from '../../src/collect/container-names.ts'
import { createMeasuring } from '../../src/record/measuring.ts'
import type { MetricsStore } from '../../src/record/metrics/store.ts'
import { tree } from '../helpers/kit.ts'
import { testDeps } from '../helpers/make-bundle.ts'

const ID = '0123456789abcdef'.repeat(4)

/** A machine with an engine of the test's own, which knows these containers. */
async function machineWith(answer: unknown): Promise<string> {
  const root = await tree({})
  const socket = join(root, 'docker.sock')
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(request.url === '/containers/json' ? JSON.stringify(answer) : '{}')
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  onTestFinished(() => void server.close())
  return root
}

function namesOf(root: string, ...engines: string[]) {
  return containerNames(testDeps({}, { root, engines }))
}

test('by the digits that metrics have, its own name and not what others call it', async () => {
  const root = await machineWith([
    { Id: ID, Names: ['/app/db', '/db'] },
    { Id: 'f'.repeat(64), Names: ['/web'] },
  ])
  expect(await namesOf(root, '/docker.sock')).toEqual({ '0123456789ab': 'db', ffffffffffff: 'web' })
})

test('what is no container, and an engine that is gone, has none', async () => {
  const odd = await machineWith([null, 7, { Id: ID }, { Id: ID, Names: [] }, { Names: ['/x'] }])
  expect(await namesOf(odd, '/docker.sock', '/nonexistent/docker.sock')).toEqual({})
  expect(await namesOf(odd)).toEqual({})
})

test('they are told to the thread that measures', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const store = { start: async () => {}, hint: resolve, close: async () => {} } as unknown as MetricsStore
  const measuring = createMeasuring({
    path: '/m.db',
    intervalMs: 10_000,
    open: async () => store,
    containerNames: async () => ({ '0123456789ab': 'web' }),
  })
  onTestFinished(() => measuring.close())
  measuring.start()
  expect(await promise).toEqual({ containerNames: { '0123456789ab': 'web' } })
})
