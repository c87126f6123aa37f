import { expect, test } from 'vitest'
import diagd from '../../collectors/diagd.ts'
import { described, testKit, tree } from '../helpers/kit.ts'

test('version, configuration, health and log are those of the running daemon', async () => {
  const self = { version: '1.2.3', config: { auth: 'none' }, health: { status: 'degraded' }, log: () => 'started\n' }
  const entries = await described(
    diagd,
    testKit({ root: await tree({ '/proc/4711/fd/0': '', '/proc/4711/fd/1': '' }), self }),
  )
  expect(await entries.value('diagd.json')).toMatchObject({ version: '1.2.3', pid: 4711, openDescriptors: 2 })
  expect(await entries.value('config.json')).toEqual({ auth: 'none' })
  expect(await entries.value('health.json')).toEqual({ status: 'degraded' })
  expect(await entries.value('diagd.log')).toBe('started\n')
})

test('the process is described by its own files in /proc, and by no environment', async () => {
  const { paths } = await described(diagd, testKit({ root: await tree({}) }))
  expect(paths).toContain('/proc/4711/status')
  expect(paths.join()).not.toContain('environ')
})

test('uploads are told as they are known', async () => {
  const uploads = [{ id: 7, state: 'waiting', trigger: 'unit', reason: 'web.service failed', tries: 2 }]
  const entries = await described(diagd, testKit({ root: await tree({}), uploads }))
  expect(await entries.value('uploads.json')).toEqual({ uploads })
})
