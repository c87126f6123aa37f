import { expect, test } from 'vitest'
import { parseDaemonFile, parseFlags, setTwice, settingOf } from '../../../collectors/lib/docker-settings.ts'

const none = parseDaemonFile('/etc/docker/daemon.json', undefined)

test('flags are told apart however they are written, by their long names', () => {
  const flags = parseFlags([
    '-H',
    'unix:///a.sock',
    '-H=fd://',
    '--data-root',
    '/d',
    '-D',
    '--iptables=false',
    '-s',
    'vfs',
  ])
  expect(Object.fromEntries(flags)).toEqual({
    host: ['unix:///a.sock', 'fd://'],
    'data-root': ['/d'],
    debug: ['true'],
    iptables: ['false'],
    'storage-driver': ['vfs'],
  })
})

test('a flag without a value does not swallow the flag behind it', () => {
  expect(Object.fromEntries(parseFlags(['--debug', '--host', 'fd://']))).toEqual({ debug: ['true'], host: ['fd://'] })
})

test('a setting comes from the flag, else from daemon.json, where lists have another name', () => {
  const file = parseDaemonFile('/f', '{"registry-mirrors": ["https://a", "https://b"], "iptables": false}')
  expect(settingOf('registry-mirror', new Map(), file)).toEqual({
    values: ['https://a', 'https://b'],
    from: 'daemon.json',
  })
  expect(settingOf('iptables', new Map(), file)?.values).toEqual(['false'])
  expect(settingOf('iptables', parseFlags(['--iptables=true']), file)).toEqual({ values: ['true'], from: 'flag' })
  expect(settingOf('bridge', new Map(), file)).toBeUndefined()
})

test('what is set in both places is named: the engine refuses to start with it', () => {
  const file = parseDaemonFile('/f', '{"hosts": ["fd://"], "debug": true}')
  expect(setTwice(parseFlags(['-H', 'fd://', '--iptables=false']), file)).toEqual(['host'])
})

test('a daemon.json that is none says why; one that is not there is no problem', () => {
  expect(parseDaemonFile('/f', '{"debug": true,}').problem).toMatch(/JSON/)
  expect(parseDaemonFile('/f', '[1]').problem).toBe('it is JSON, but no object')
  expect(none).toEqual({ path: '/etc/docker/daemon.json', values: {} })
})
