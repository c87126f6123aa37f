/** Engines that are not there, hang, stop, and come: what is asked of them, and what is said. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onTestFinished, expect, test } from 'vitest'
import type { ContainerTailOptions } from '../../../src/record/containers/tail.ts'
import type { MemoryStore } from '../helpers/memory-store.ts'
import { ownFolder } from '../../helpers/source.ts'
import { keptOf, startTail } from './tail-kit.ts'

const DOCKERD = 812
const INODE = 4711

const ID = 'c0ffee'.padEnd(64, '0')
const RUNNING = { Id: ID, Name: '/talker', State: { Status: 'running' }, Config: { Image: 'busybox' } }

/** An engine with one container that says nothing, on a host of its own: with a table of processes and of sockets, as systemd and dockerd leave them. */
async function host() {
  const root = await ownFolder()
  await chmod(root, 0o755)
  const put = async (path: string, text: string) => {
    await mkdir(dirname(root + path), { recursive: true })
    await writeFile(root + path, text)
  }
  const socket = '/run/docker.sock'
  const sockets = new Set<Socket>()
  const state = { connections: 0, followed: 0, hangs: false, forgets: false }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (state.hangs) return
    if (request.url === '/version') response.end('{"Version":"1"}')
    else if (request.url!.startsWith('/containers/json'))
      response.end(JSON.stringify([{ Id: ID, Names: ['/talker'], State: 'running', Created: 1 }]))
    else if (request.url === `/containers/${ID}/json`) response.end(JSON.stringify(RUNNING))
    else if (state.forgets && request.url!.startsWith(`/containers/${ID}/logs`))
      response.writeHead(404).end('{"message":"No such container"}')
    else if (request.url!.startsWith(`/containers/${ID}/logs`)) {
      state.followed += 1
      response.flushHeaders()
    } else if (request.url!.startsWith('/events')) response.flushHeaders()
    else response.writeHead(404).end('{"message":"no"}')
  }
  const listen = async (): Promise<Server> => {
    await mkdir(join(root, 'run'), { recursive: true })
    await rm(root + socket, { force: true })
    const server = createServer(answer)
    server.on('connection', (one) => {
      state.connections += 1
      sockets.add(one)
      one.once('close', () => sockets.delete(one))
    })
    server.listen(root + socket)
    await once(server, 'listening')
    return server
  }
  let server = await listen()
  const drop = () => {
    for (const one of sockets) one.destroy()
  }
  onTestFinished(() => {
    server.close()
    drop()
  })
  const descriptor = join(root, `/proc/${DOCKERD}/fd/5`)
  return {
    root,
    state,
    drop,
    async runs() {
      await put(`/proc/${DOCKERD}/comm`, 'dockerd\n')
      await put(`/proc/${DOCKERD}/status`, `Name:\tdockerd\nUid:\t0\t0\t0\t0\nNSpid:\t${DOCKERD}\n`)
    },
    gone: () => rm(join(root, `/proc/${DOCKERD}`), { recursive: true, force: true }),
    /** dockerd has the socket open, which systemd had opened. */
    async listens() {
      await put(
        '/proc/net/unix',
        `Num RefCount\n0000000000000000: 00000002 00000000 00010000 0001 01 ${INODE} ${socket}\n`,
      )
      await mkdir(dirname(descriptor), { recursive: true })
      await symlink(`socket:[${INODE}]`, descriptor)
    },
    closes: () => rm(descriptor),
    async unlisten() {
      server.close()
      await rm(root + socket, { force: true })
    },
    async listen() {
      server = await listen()
    },
    follow: (limits: ContainerTailOptions['limits'] = {}) =>
      startTail([], { root, engines: [], limits: { lookMs: 20, pingMs: 20, ...limits } }),
  }
}

const said = (store: MemoryStore, type: string, words: string) =>
  store.until(({ events }) => events.some((event) => event.type === type && event.message.includes(words)))

test('an engine that is stopped is not asked, and followed when it runs', async () => {
  const { state, runs, listens, follow } = await host()
  const { store } = await follow()
  await said(store, 'engine.waiting', 'connecting could start a stopped engine')
  expect(state.connections).toBe(0)
  await listens()
  await runs()
  await said(store, 'engine.followed', '/run/docker.sock')
  expect(state.connections).toBeGreaterThan(0)
})

test('an engine that is being stopped is not asked again, though its process and its unit are still there', async () => {
  const { state, runs, listens, closes, drop, gone, follow } = await host()
  await listens()
  await runs()
  const { store } = await follow()
  await said(store, 'engine.followed', '/run/docker.sock')
  while (state.followed === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  // It closes its socket first; systemd has it still, and would start it again for whoever connects.
  await closes()
  const before = state.connections
  drop()
  await said(store, 'engine.lost', '')
  await said(store, 'engine.waiting', 'nobody but systemd')
  await gone()
  await said(store, 'engine.waiting', 'connecting could start a stopped engine')
  expect(state.connections).toBe(before)
  await runs()
  await listens()
  await store.until(({ events }) => events.filter(({ type }) => type === 'engine.followed').length === 2)
})

test('an engine that takes connections and answers none hangs, and is said to', async () => {
  const { state, runs, listens, follow } = await host()
  await listens()
  await runs()
  state.hangs = true
  const { store, tail } = await follow({ answerMs: 50 })
  await said(store, 'engine.hung', 'said nothing for 50 ms')
  expect(tail.health()).toMatchObject({
    engines: [{ label: 'rootful', state: 'hung' }],
    problems: [expect.stringContaining('/run/docker.sock')],
  })
  state.hangs = false
  await said(store, 'engine.followed', '/run/docker.sock')
  state.hangs = true
  await store.until(({ events }) => events.filter(({ type }) => type === 'engine.hung').length === 2)
  state.hangs = false
  await store.until(({ events }) => events.filter(({ type }) => type === 'engine.followed').length === 2)
  expect(tail.health().problems).toEqual([])
})

test('an engine that comes an hour later, with a socket of its own, is followed', async () => {
  const { state, runs, listens, follow, unlisten, listen } = await host()
  await unlisten()
  const { store } = await follow({ lookMs: 3_600_000 })
  await runs()
  await listens()
  // What it makes below /run is seen.
  await listen()
  await said(store, 'engine.followed', '/run/docker.sock')
  expect(state.connections).toBeGreaterThan(0)
})

test('a log that was gone before it could be read is not called complete', async () => {
  const { state, runs, listens, follow } = await host()
  state.forgets = true
  await listens()
  await runs()
  const tail = await follow()
  const kept = await keptOf(tail, 'talker', ({ logProblem }) => logProblem !== undefined)
  expect(kept).toMatchObject({ logComplete: false, logProblem: expect.stringContaining('removed before') as string })
})
