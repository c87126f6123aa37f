/** The two doors: an instance of Fastify listens once, so each is a server of its own in front of the same routes. */
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { ListenOptions } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Listen } from '../config.ts'
import { markLocal } from './door.ts'

/** Nobody has a reason for more; each costs a descriptor and some memory. */
const MAX_CONNECTIONS = 64

const TIMEOUTS = {
  // A request is a line and a few headers: who needs longer than this is not asking.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 5000,
}

export async function listenTcp(app: FastifyInstance, { host, port }: Listen): Promise<Server> {
  return listen(createDoor(app), { host, port })
}

/** @throws Error that says who has the socket, or what is wrong with its folder. */
export async function listenUnix(app: FastifyInstance, path: string, uid: number): Promise<Server> {
  await makeFolder(dirname(path), uid)
  await removeStale(path)
  const server = createDoor(app)
  markLocal(server)
  const mode = uid === 0 ? 0o660 : 0o600
  // The socket is made within listen(), so there is no moment in which others could come in.
  const umask = process.umask(0o777 & ~mode)
  const listening = listen(server, { path })
  process.umask(umask)
  await listening
  await chmod(path, mode)
  return server
}

function createDoor(app: FastifyInstance): Server {
  const server = createServer(TIMEOUTS, (incoming, response) => app.routing(incoming, response))
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function listen(server: Server, options: ListenOptions): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(options, resolve)
  await promise
  server.off('error', reject)
  return server
}

/** A folder somebody else owns, or may write, could hold a socket of theirs. */
async function makeFolder(folder: string, uid: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: uid === 0 ? 0o755 : 0o700 })
  const stats = await lstat(folder)
  if (!stats.isDirectory()) throw new Error(`${folder} is not a folder`)
  if (stats.uid !== uid && stats.uid !== 0) {
    throw new Error(`${folder} belongs to the user ${stats.uid}; it has to belong to ${uid}`)
  }
  const sticky = (stats.mode & 0o1000) !== 0
  if ((stats.mode & 0o022) !== 0 && !sticky) throw new Error(`${folder} can be written by others; chmod go-w ${folder}`)
}

/** What a killed daemon left is removed; what answers, or is no socket, stays. */
async function removeStale(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats) return
  if (!stats.isSocket())
    throw new Error(`${path} is there and not a socket; name another by socket in config.yaml, or DIAGD_SOCKET`)
  if (await answers(path)) throw new Error(`${await whoAnswers(path)} listens on ${path} already`)
  await unlink(path)
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => resolve(true))
  // Only a refusal proves that nobody listens: a full queue (EAGAIN) or a lack of permission does not.
  socket.once('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
  )
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

async function whoAnswers(path: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(2000)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const asked = request({ socketPath: path, path: '/health', signal }, (response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (text: string) => {
        body += text
        if (body.length > 64 * 1024) reject(new Error('too long for a health'))
      })
      response.on('end', () => resolve(body))
      response.on('error', reject)
    })
    asked.on('error', reject).end()
    const { pid } = JSON.parse(await promise) as { pid?: unknown }
    return typeof pid === 'number' ? `another diagd (process ${pid})` : 'another process'
  } catch {
    return 'another process'
  }
}
