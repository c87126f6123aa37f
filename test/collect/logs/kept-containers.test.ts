import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { NOTHING_KEPT } from '../../../src/collect/recorded-containers.ts'
import type { LogLine } from '../../../src/collect/logs/line.ts'
import { createKept } from '../../../src/record/containers/kept.ts'
import { describeWithDocker, sh, type Docker } from '../../helpers/docker.ts'
import { fakeEngine } from '../../helpers/fake-engine.ts'
import { batch, openWriter } from '../../record/containers/kit.ts'
import { isComplete, keptOf, startTail, stateFolder, type TestTail } from '../../record/containers/tail-kit.ts'
import { machine, messages } from './kit.ts'

const only = { source: 'containers' }

/** A machine of which a daemon keeps the containers. */
async function recorded(docker: Docker) {
  const tail = await startTail([docker.socket])
  await tail.heard('engine.followed', 'configured')
  return { tail, box: box(docker, tail) }
}

function box({ socket }: Pick<Docker, 'socket'>, { tail, stateDir }: TestTail) {
  const kept = { ...NOTHING_KEPT, ...createKept(stateDir), flush: () => tail.flush() }
  return machine({ root: '', engines: [socket], path: '/nonexistent', kept })
}

const remove = (docker: Docker, id: string) => docker.ask('DELETE', `/containers/${id}?force=1`)

const numbered = (count: number) => sh(`i=0; while [ $i -lt ${count} ]; do echo line $i; i=$((i+1)); done`)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`)

describeWithDocker('logs of containers that are removed', (docker) => {
  test('come right after the removal, by name and by id, and say that they are of a removed one', async () => {
    const { box: here } = await recorded(docker())
    const script = 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo "level=warning three"'
    const { Id: id } = (await docker().ask('POST', '/containers/create?name=brief', {
      Image: 'busybox',
      Cmd: sh(script),
      HostConfig: { NetworkMode: 'none' },
    })) as { Id: string }
    await docker().ask('POST', `/containers/${id}/start`)
    await docker().ask('POST', `/containers/${id}/wait`)
    await remove(docker(), id)
    const { lines, problems } = await here.page({ ...only, container: 'brief', order: 'oldest' })
    const container = { id, name: 'brief', removed: true }
    expect(lines).toMatchObject([
      { source: 'container', level: 'info', message: 'one', container: { ...container, stream: 'stdout' } },
      { level: 'error', message: 'two', container: { ...container, stream: 'stderr' } },
      { level: 'warning', message: 'level=warning three', container: { ...container, stream: 'stdout' } },
    ])
    expect(problems).toEqual([])
    expect(messages(await here.pages({ ...only, container: id.slice(0, 12) }))).toEqual(messages(lines.toReversed()))
    const ask = { ...only, container: 'brief', order: 'oldest' }
    expect(messages(await here.pages({ ...ask, level: 'warning' }))).toEqual(['two', 'level=warning three'])
    expect(messages(await here.pages({ ...ask, search: 'THREE' }))).toEqual(['level=warning three'])
    // To the millisecond: those two are further apart.
    const at = (line: LogLine) => new Date(line.time).toISOString()
    expect(messages(await here.pages({ ...ask, since: at(lines[1]!) }))).toEqual(messages(lines.slice(1)))
    expect(messages(await here.pages({ ...ask, until: at(lines[1]!) }))).toEqual(['one'])
  })

  test('page through all of it, each line once, either way', async () => {
    const { tail, box: here } = await recorded(docker())
    const id = await docker().run('many', { Cmd: numbered(3000) })
    await keptOf(tail, 'many', isComplete)
    await remove(docker(), id)
    const ask = { ...only, container: 'many' }
    const whole = messages(await here.pages({ ...ask, order: 'oldest', limit: '10000' }))
    expect(whole).toEqual(upTo(3000))
    expect(messages(await here.pages({ ...ask, order: 'oldest', limit: '271' }))).toEqual(whole)
    expect(messages(await here.pages({ ...ask, order: 'newest', limit: '271' }))).toEqual(whole.toReversed())
    expect(messages((await here.page({ ...ask, limit: '2' })).lines)).toEqual(['line 2999', 'line 2998'])
  })

  test.each(['oldest', 'newest'])('a cursor that the engine gave goes on in what is kept: %s first', async (order) => {
    const { tail, box: here } = await recorded(docker())
    const name = `turned-${order}`
    const script =
      'i=0; while [ $i -lt 500 ]; do echo line $i; [ $((i % 3)) = 0 ] && echo line $i >&2; i=$((i+1)); done'
    const id = await docker().run(name, { Cmd: sh(script) })
    await keptOf(tail, name, isComplete)
    const ask = { ...only, container: name, order, limit: '97' }
    const before = await here.page(ask)
    expect(before.lines[0]!.container).not.toHaveProperty('removed')
    const there = messages(await here.pages(ask))
    expect(there).toHaveLength(667)
    await remove(docker(), id)
    await keptOf(tail, name, ({ state }) => state === 'removed')
    const after = await here.pages({ ...ask, cursor: before.cursor! })
    expect(after[0]!.container).toHaveProperty('removed', true)
    expect(messages([...before.lines, ...after])).toEqual(there)
    expect(messages(await here.pages(ask))).toEqual(there)
  })

  test('of several of one name are all, by time, and so are many', async () => {
    const { tail, box: here } = await recorded(docker())
    for (const turn of [1, 2, 3]) {
      const id = await docker().run('again', { Cmd: ['echo', `turn ${turn}`] })
      await keptOf(tail, 'again', (one) => one.id === id && isComplete(one))
      await remove(docker(), id)
      await keptOf(tail, 'again', (one) => one.id === id && one.state === 'removed')
    }
    const lines = await here.pages({ ...only, container: 'again', order: 'oldest', limit: '1' })
    expect(messages(lines)).toEqual(['turn 1', 'turn 2', 'turn 3'])
    expect(new Set(lines.map(({ container }) => container!.id)).size).toBe(3)
  })

  test('are masked with values that became known later', async () => {
    const { tail, box: here } = await recorded(docker())
    const id = await docker().run('teller', { Cmd: ['echo', 'it is late-Zq8vT1xW5nLk'] })
    await keptOf(tail, 'teller', isComplete)
    await remove(docker(), id)
    const ask = { ...only, container: 'teller' }
    expect(messages(await here.pages(ask))).toEqual(['it is late-Zq8vT1xW5nLk'])
    await docker().start('keeper', { Cmd: ['sleep', '600'], Env: ['API_TOKEN=late-Zq8vT1xW5nLk'] })
    const masked = messages(await box(docker(), tail).pages(ask))
    expect(masked).toEqual([expect.stringMatching(/^it is <masked:live-value:\w+>$/)])
  })

  test('a container that nobody knows, and none is kept of, is said', async () => {
    const { box: here } = await recorded(docker())
    const { lines, problems } = await here.page({ ...only, container: 'nobody' })
    expect(lines).toEqual([])
    const message = 'no engine has a container of this name or id now, and none is kept'
    expect(problems).toEqual([{ source: 'container nobody', message }])
  })

  test('of an engine that is gone are there, and not called removed', async () => {
    const { tail } = await recorded(docker())
    const id = await docker().run('orphan', { Cmd: ['echo', 'still here'] })
    await keptOf(tail, 'orphan', isComplete)
    const { lines, problems } = await box({ socket: '/nowhere.sock' }, tail).page({ ...only, container: 'orphan' })
    expect(lines).toMatchObject([{ message: 'still here', container: { id, name: 'orphan', stream: 'stdout' } }])
    expect(lines[0]!.container).not.toHaveProperty('removed')
    expect(problems).toEqual([expect.objectContaining({ source: '/nowhere.sock' })])
  })
})

test('many that are removed are read, the newest 200, each line once', async () => {
  const stateDir = await stateFolder()
  const noonMs = Date.UTC(2026, 5, 15, 12)
  for (let number = 0; number < 205; number++) {
    const id = number.toString(16).padStart(4, '0').repeat(16)
    const folder = join(stateDir, 'containers', 'rootful', id)
    const writer = openWriter(folder)
    writer.append(batch(writer, number, 3))
    if (number % 2 === 0) writer.seal()
    writer.close()
    const removedMs = noonMs + number * 1000
    const facts = { id, name: `job-${number}`, image: 'busybox', engine: 'rootful', state: 'removed', removedMs }
    writeFileSync(join(folder, 'state.json'), JSON.stringify({ ...facts, logComplete: true }))
  }
  const { page, pages } = machine({ root: stateDir, kept: { ...NOTHING_KEPT, ...createKept(stateDir) } })
  const { lines, problems } = await page({ ...only, order: 'oldest' })
  const told = lines.map(({ container, message }) => `${container!.name}: ${/^line \d+/.exec(message)![0]}`)
  const expected = Array.from({ length: 600 }, (_, index) => {
    const number = 5 + Math.floor(index / 3)
    return `job-${number}: line ${number + (index % 3)}`
  })
  expect(told.toSorted(byText)).toEqual(expected.toSorted(byText))
  expect(problems).toContainEqual({ source: 'containers', message: '5 older ones beyond 200 are left out' })
  for (const order of ['oldest', 'newest']) {
    const paged = await pages({ ...only, order, limit: '250' })
    expect(messages(order === 'oldest' ? paged : paged.toReversed())).toEqual(messages(lines))
  }
})

const byText = (a: string, b: string) => (a < b ? -1 : 1)

test('what is on its way when the container is gone already is waited for', async () => {
  const stateDir = await stateFolder()
  const { socket } = await fakeEngine({})
  const id = 'ab'.repeat(32)
  const folder = join(stateDir, 'containers', 'configured', id)
  const facts = { id, name: 'late', image: 'busybox', engine: 'configured', createdMs: 1 }
  const writer = openWriter(folder)
  onTestFinished(() => writer.close())
  const writeState = (more: object) => writeFileSync(join(folder, 'state.json'), JSON.stringify({ ...facts, ...more }))
  writer.append(batch(writer, 0, 1))
  writeState({ state: 'running' })
  const onDisk = createKept(stateDir)
  let looks = 0
  const list = async () => {
    const found = await onDisk.list()
    looks += 1
    // The daemon hears of it only now.
    if (looks === 1) {
      writer.append(batch(writer, 1, 1))
      writeState({ state: 'removed', removedMs: Date.now() })
    } else if (looks === 2) {
      writer.append(batch(writer, 2, 1))
      writeState({ state: 'removed', removedMs: Date.now(), logComplete: true })
    }
    return found
  }
  const { page } = machine({
    root: '',
    engines: [socket],
    path: '/nonexistent',
    kept: { ...NOTHING_KEPT, ...onDisk, list },
  })
  const { lines } = await page({ ...only, container: 'late', order: 'oldest' })
  expect(lines.map(({ message }) => /^line \d+/.exec(message)![0])).toEqual(['line 0', 'line 1', 'line 2'])
  expect(looks).toBe(3)
})
