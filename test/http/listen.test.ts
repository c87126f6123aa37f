import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server } from 'node:http'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../src/http/app.ts'
import { listenUnix } from '../../src/http/listen.ts'
import { temporaryFolder } from '../helpers/archive.ts'
import { curl, depsOf } from '../helpers/http.ts'
import { openDoor } from '../helpers/tls.ts'

const uid = process.getuid!()
let folder: ReturnType<typeof temporaryFolder>
let app: FastifyInstance
let servers: Server[] = []

beforeEach(async () => {
  folder = temporaryFolder()
  servers = []
  app = await buildApp(depsOf({ health: () => ({ status: 'ok', pid: 4711 }) }))
})

afterEach(async () => {
  for (const server of servers) server.close()
  await app.close()
  folder.remove()
})

async function listen(path: string, as = uid): Promise<Server> {
  const server = await listenUnix(app, path, as)
  servers.push(server)
  return server
}

const socketPath = () => join(folder.path, 'run/diagd.sock')

test('makes the folder and the socket for their owner alone, and leaves the umask as it was', async () => {
  const before = process.umask()
  await listen(socketPath())
  expect(statSync(socketPath()).mode & 0o777).toBe(uid === 0 ? 0o660 : 0o600)
  expect(statSync(dirname(socketPath())).mode & 0o022).toBe(0)
  expect(process.umask()).toBe(before)
})

test('is gone when it is closed', async () => {
  const server = await listen(socketPath())
  server.close()
  await once(server, 'close')
  expect(existsSync(socketPath())).toBe(false)
})

test('takes the place of a socket that a killed process left', async () => {
  mkdirSync(dirname(socketPath()), { mode: 0o700 })
  const script = `require('net').createServer().listen(${JSON.stringify(socketPath())}, () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', script]), 'exit')
  expect(existsSync(socketPath())).toBe(true)
  await listen(socketPath())
  expect((await curl('-f', '--unix-socket', socketPath(), 'http://localhost/health')).code).toBe(0)
})

test('refuses the socket of another diagd, and names its process', async () => {
  await listen(socketPath())
  await expect(listen(socketPath())).rejects.toThrow(`another diagd (process 4711) listens on ${socketPath()} already`)
  expect((await curl('-f', '--unix-socket', socketPath(), 'http://localhost/health')).code).toBe(0)
})

test('refuses the socket of who is no diagd', async () => {
  mkdirSync(dirname(socketPath()), { mode: 0o700 })
  const stranger = createServer((socket) => socket.on('error', () => {}).end('hello'))
  await new Promise<void>((resolve) => stranger.listen(socketPath(), resolve))
  await expect(listen(socketPath())).rejects.toThrow(`another process listens on ${socketPath()} already`)
  stranger.close()
})

test('leaves a file in its place alone', async () => {
  mkdirSync(dirname(socketPath()), { mode: 0o700 })
  writeFileSync(socketPath(), 'precious')
  await expect(listen(socketPath())).rejects.toThrow('is there and not a socket')
  expect(existsSync(socketPath())).toBe(true)
})

test('refuses a folder that others may write, unless it is sticky as /tmp', async () => {
  mkdirSync(dirname(socketPath()))
  chmodSync(dirname(socketPath()), 0o777)
  await expect(listen(socketPath())).rejects.toThrow('can be written by others')
  chmodSync(dirname(socketPath()), 0o1777)
  await listen(socketPath())
})

test.runIf(uid === 0)('refuses a folder of somebody else', async () => {
  mkdirSync(dirname(socketPath()), { mode: 0o700 })
  chownSync(dirname(socketPath()), 4711, 4711)
  await expect(listen(socketPath())).rejects.toThrow('belongs to the user 4711; it has to belong to 0')
})

describe('a TCP address that other machines reach', () => {
  const open = (host: string, tls?: 'terminated-upstream') => openDoor(depsOf(), { listen: { host, port: 0 }, tls })

  test.each(['0.0.0.0', '::', '192.0.2.7', '128.0.0.1'])('is not listened on without TLS: %s', async (host) => {
    const door = await open(host)
    expect(door.server()).toBeUndefined()
    await door.check()
    expect(door.server()).toBeUndefined()
    expect(door.problems()).toEqual([
      { key: 'tls', message: expect.stringMatching(/^TCP stays closed: .*terminated-upstream.*loopback/) as string },
    ])
  })

  test.each([
    ['0.0.0.0', 'terminated-upstream'],
    ['127.0.0.1', undefined],
    ['127.1.2.3', undefined],
    ['::1', undefined],
    ['localhost', undefined],
  ] as const)('%s with tls: %s is', async (host, tls) => {
    const door = await open(host, tls)
    expect(door.problems()).toEqual([])
    expect(door.server()).toBeDefined()
  })
})
