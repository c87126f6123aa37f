import { expect, test } from 'vitest'
import usage from '../../collectors/docker-usage.ts'
import { describeWithDocker, openRequest, realEngine } from '../helpers/docker.ts'
import { described, recordedEngine, testKit } from '../helpers/kit.ts'

const collected = (engine = recordedEngine({})) =>
  described(usage, testKit({ root: '/nonexistent', engines: { present: [engine], absent: [] } }))

test('disk usage is asked for only when it is named: it costs the engine a walk over its disk', () => {
  expect(usage.onDemand).toBe(true)
})

test('disk usage may take the engine minutes', async () => {
  expect((await collected()).named('system-df.json')).toMatchObject({ request: '/system/df', timeoutMs: 300_000 })
})

describeWithDocker('a real engine', (engine) => {
  test('tells its disk usage', async () => {
    const { request } = (await collected(realEngine(engine().socket))).named('system-df.json')
    const answer: unknown = JSON.parse(await openRequest(engine().socket, request!))
    expect(answer).toMatchObject({ Images: [{ RepoTags: ['busybox:latest'] }], Containers: [], Volumes: [] })
  })
})
