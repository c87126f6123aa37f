/** The two doors: where they listen, and that nobody else does. */
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises'
import { request } from 'node:http'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { ListenOptions } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Listen } from '../config/listen.ts'
import { markLocal } from './door.ts'
import { createDoor } from './server.ts'
import type { ServerOptions } from './server.ts'

export async function listenTcp(
  app: FastifyInstance,
  { host, port }: Listen,
  options: Omit<ServerOptions, 'door'> = { hosts: [], limitPerAddress: true },
): Promise<Server> {
  return listen(createDoor(app, { ...options, door: 'tcp' }), { host, port })
}

/** @throws Error that says who has the socket, or what is wrong with its folder. */
export async function listenUnix(app: FastifyInstance, path: string, uid: number): Promise<Server> {
  await makeFolder(dirname(path), uid)
  await removeStale(path)
  const server = createDoor(app, { door: 'local', limitPerAddress: false })
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
