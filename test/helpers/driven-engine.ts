/** A real engine, wherever it runs, driven by a test over its socket. */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { pack } from 'tar-stream'

export interface DrivenEngine {
  readonly socket: string
  /** Asks the engine anything; rejects with its message when it refuses. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>
  /** Creates a container of busybox without network; resolves to its id. */
  create(name: string, config: ContainerConfig): Promise<string>
  /** Creates and starts one. */
  start(name: string, config: ContainerConfig): Promise<string>
  /** Creates and starts one, and waits for its end. */
  run(name: string, config: ContainerConfig): Promise<string>
  /** Runs a script in a container; resolves to what it said, rejects with it when it fails. */
  exec(id: string, script: string): Promise<string>
  /** The image `busybox`, made of the machine's static busybox. */
  importBusybox(): Promise<void>
}

interface ContainerConfig {
  readonly Cmd: readonly string[]
  readonly Tty?: boolean
  readonly Env?: readonly string[]
  readonly HostConfig?: Record<string, unknown>
}

export const BUSYBOX = '/bin/busybox'

export function driveEngine(socket: string): DrivenEngine {
  const ask: DrivenEngine['ask'] = async (method, path, body) => {
    const { type, bytes } = await call(socket, method, path, body)
    return type === 'application/json' && bytes.length > 0 ? JSON.parse(bytes.toString()) : bytes.toString()
  }
  const create: DrivenEngine['create'] = async (name, config) => {
    const HostConfig = { NetworkMode: 'none', ...config.HostConfig }
    const created = await ask('POST', `/containers/create?name=${name}`, { Image: 'busybox', ...config, HostConfig })
    return (created as { Id: string }).Id
  }
  const start: DrivenEngine['start'] = async (name, config) => {
    const id = await create(name, config)
    await ask('POST', `/containers/${id}/start`)
    return id
  }
  return {
    socket,
    ask,
    create,
    start,
    run: async (name, config) => {
      const id = await start(name, config)
      await ask('POST', `/containers/${id}/wait`)
      return id
    },
    exec: async (id, script) => {
      const wanted = { Cmd: ['sh', '-euc', script], AttachStdout: true, AttachStderr: true }
      const { Id } = (await ask('POST', `/containers/${id}/exec`, wanted)) as { Id: string }
      const { bytes } = await call(socket, 'POST', `/exec/${Id}/start`, {})
      const said = payloads(bytes)
      const { ExitCode } = (await ask('GET', `/exec/${Id}/json`)) as { ExitCode: number }
      if (ExitCode !== 0) throw new Error(`it ended with ${ExitCode}: ${script}\n${said}`)
      return said
    },
    importBusybox: async () => {
      await ask('POST', '/images/create?fromSrc=-&repo=busybox&tag=latest', await busyboxTree())
    },
  }
}

async function busyboxTree(): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(BUSYBOX))
  for (const name of ['sh', 'cat', 'echo', 'printf', 'seq', 'sleep', 'true']) {
    archive.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' })
  }
  archive.finalize()
  const bytes: Buffer[] = []
  for await (const chunk of archive) bytes.push(chunk as Buffer)
  return Buffer.concat(bytes)
}

/** Of frames of both streams: stream, three zeros, length, text. */
function payloads(frames: Buffer): string {
  const texts: string[] = []
  for (let at = 0; at < frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4)
    texts.push(frames.toString('utf8', at + 8, end))
    at = end
  }
  return texts.join('')
}

interface Answer {
  readonly type: string | undefined
  readonly bytes: Buffer
}

function call(socketPath: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const raw = Buffer.isBuffer(body)
  const headers = { host: 'localhost', 'content-type': raw ? 'application/x-tar' : 'application/json' }
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        if (response.statusCode! < 400) resolve({ type: response.headers['content-type'], bytes })
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${bytes.toString()}`))
      })
    })
    asking.on('error', reject)
    asking.end(raw ? body : body === undefined ? undefined : JSON.stringify(body))
  })
}
