import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LogPage } from '../../../src/collect/logs/page.ts'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { onRequest, ownFolder, peer } from '../../helpers/source.ts'
import { cloudInit, machine, messages } from './kit.ts'

describeWithDocker('logs of containers, of a real engine', (docker) => {
  // The root stays that of the machine, or the socket would be looked for below it: only containers are asked for.
  const box = () => machine({ root: '', engines: [docker().socket], path: '/nonexistent' })
  const only = { source: 'container' }

  test('come with name, id, stream and level, both streams by time', async () => {
    const script =
      'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo "level=warning three"; sleep 0.1; printf unfinished'
    const id = await docker().run('speaker', { Cmd: sh(script) })
    const lines = await box().pages({ ...only, container: 'speaker', order: 'oldest' })
    const container = { id, name: 'speaker' }
    expect(lines).toMatchObject([
      { source: 'container', level: 'info', message: 'one', container: { ...container, stream: 'stdout' } },
      { level: 'error', message: 'two', container: { ...container, stream: 'stderr' } },
      { level: 'warning', message: 'level=warning three', container: { ...container, stream: 'stdout' } },
      { message: 'unfinished' },
    ])
    expect(messages(await box().pages({ ...only, container: id.slice(0, 12) }))).toEqual(messages(lines.toReversed()))
  })

  test('page through all of it, each line once, either way', async () => {
    const script = 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done'
    await docker().run('many', { Cmd: sh(script) })
    const ask = { ...only, container: 'many' }
    const whole = messages(await box().pages({ ...ask, order: 'oldest', limit: '10000' }))
    expect(whole).toEqual(Array.from({ length: 3000 }, (_, index) => `line ${index}`))
    expect(messages(await box().pages({ ...ask, order: 'oldest', limit: '271' }))).toEqual(whole)
    expect(messages(await box().pages({ ...ask, order: 'newest', limit: '271' }))).toEqual(whole.toReversed())
    expect(messages((await box().page({ ...ask, limit: '2' })).lines)).toEqual(['line 2999', 'line 2998'])
  })

  test('of several containers are one log', async () => {
    const talk = (name: string) => sh(`for i in 1 2 3 4 5 6 7 8 9; do echo ${name} $i; sleep 0.02; done`)
    await Promise.all(['left', 'right'].map((name) => docker().run(name, { Cmd: talk(name) })))
    const ask = { ...only, container: 'left,right' }
    const lines = await box().pages({ ...ask, order: 'oldest', limit: '4' })
    expect(lines).toHaveLength(18)
    expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).toSorted())
    expect(new Set(messages(lines)).size).toBe(18)
    expect(messages(await box().pages({ ...ask, limit: '5' }))).toEqual(messages(lines.toReversed()))
  })

  test('a line in parts is one line, one that is very long is cut', async () => {
    const script = (length: number) => `i=0; while [ $i -lt ${length} ]; do printf 0123456789; i=$((i+1)); done; echo`
    await docker().run('long', { Cmd: sh(`${script(5000)}; ${script(8000)}`) })
    const lines = await box().pages({ ...only, container: 'long', order: 'oldest' })
    expect(lines.map(({ message, cutBytes = 0 }) => message.length + cutBytes)).toEqual([50_000, 80_000])
    expect(lines[0]!.message).toBe('0123456789'.repeat(1638) + '0123')
  })

  test('are masked by the values in the environment of containers', async () => {
    const Env = ['API_TOKEN=plain-Zq8vT1xW5nLk']
    await docker().run('secretive', { Cmd: sh('echo it is $API_TOKEN'), Env })
    const [line] = await box().pages({ ...only, container: 'secretive' })
    expect(line!.message).toMatch(/^it is <masked:live-value:\w+>$/)
  })

  test('of a container that writes on, only what is new comes behind the cursor', async () => {
    await docker().start('growing', { Cmd: sh('i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.01; done') })
    const ask = { ...only, container: 'growing', order: 'oldest' }
    const seen: string[] = []
    let cursor: string | undefined
    while (seen.length < 60) {
      const page: LogPage = await box().page({ ...ask, limit: '25', ...(cursor === undefined ? {} : { cursor }) })
      cursor = page.cursor
      seen.push(...messages(page.lines))
    }
    expect(seen).toEqual(seen.map((_, index) => `tick ${index}`))
  })

  test('one whose driver keeps nothing says so, and costs nobody else a line', async () => {
    const LogConfig = { Type: 'none' }
    await docker().run('mute', { Cmd: sh('echo lost'), HostConfig: { LogConfig } })
    await docker().run('loud', { Cmd: sh('echo kept') })
    const { lines, problems } = await box().page({ ...only, container: 'mute,loud' })
    expect(messages(lines)).toEqual(['kept'])
    expect(problems).toEqual([
      expect.objectContaining({
        source: expect.stringMatching(/^container mute /) as string,
        message: expect.stringContaining('the engine cannot hand out this log') as string,
      }),
    ])
  })

  test('a container that nobody knows is said', async () => {
    const { lines, problems } = await box().page({ ...only, container: 'nobody' })
    expect(lines).toEqual([])
    expect(problems).toEqual([
      { source: 'container nobody', message: 'no engine has a container of this name or id now, and none is kept' },
    ])
  })
})

test('an engine that hangs costs its own lines', async () => {
  const folder = await ownFolder()
  const hanging = await peer(join(folder, 'docker.sock'), (socket) => void socket.resume())
  const { root, file, page } = machine({ root: folder, engines: ['/docker.sock'] })
  expect(root).toBe(folder)
  file('var/log/cloud-init.log', cloudInit(0, 'there'))
  const { lines, problems } = await page()
  expect(messages(lines)).toEqual(['util.py[DEBUG]: there'])
  expect(problems).toContainEqual({
    source: '/docker.sock',
    message: 'unix:/docker.sock /containers/json?all=1 said nothing for 3000 ms',
  })
  await hanging.allClosed()
})

test('a container whose log hangs costs its own lines', async () => {
  const folder = await ownFolder()
  const Id = 'a'.repeat(64)
  const list = JSON.stringify([{ Id, Names: ['/stuck'], State: 'running', Created: 1 }])
  const json = (text: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`
  const engine = await peer(join(folder, 'docker.sock'), (socket) => {
    onRequest(socket, (path) => {
      if (path.startsWith('/containers/json')) socket.end(json(list))
      else if (path.endsWith('/json')) socket.end(json('{}'))
      // And then not a byte of the log.
      else socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    })
  })
  const { file, page } = machine({ root: folder, engines: ['/docker.sock'] }, {})
  file('var/log/cloud-init.log', cloudInit(0, 'there'))
  const { lines, problems } = await page()
  expect(messages(lines)).toEqual(['util.py[DEBUG]: there'])
  expect(problems).toContainEqual({
    source: `container stuck (${Id.slice(0, 12)})`,
    message: expect.stringMatching(/said nothing for 5000 ms$/) as string,
  })
  await engine.allClosed()
})
