import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { startDaemon } from '../src/daemon.ts'
import { createLog } from '../src/log.ts'
import { createNotifier } from '../src/notify/notifier.ts'
import { temporaryFolder } from './helpers/archive.ts'
import { start } from './helpers/cli.ts'
import { BUNDLE_ID, resultOf } from './helpers/http.ts'
import { openNotifySocket } from './helpers/notify-socket.ts'
import type { NotifySocket } from './helpers/notify-socket.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

let folder: ReturnType<typeof temporaryFolder>
let systemd: NotifySocket | undefined

beforeEach(() => {
  folder = temporaryFolder()
  systemd = undefined
})

afterEach(() => {
  systemd?.close()
  folder.remove()
})

const socket = () => join(folder.path, 'run/diagd.sock')

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { DIAGD_SOCKET: socket(), DIAGD_LISTEN: 'none', STATE_DIRECTORY: join(folder.path, 'state'), ...more }
}

describe('what systemd is told', () => {
  const serve = async (more: Record<string, string> = {}) => {
    systemd = await openNotifySocket(join(folder.path, 'notify'))
    const env = environment({ NOTIFY_SOCKET: systemd.name, ...more })
    return { systemd, running: start(['serve'], { cwd: folder.path, env }) }
  }

  test('that it serves and where, that it lives, and that it goes', async () => {
    const { systemd, running } = await serve({ DIAGD_LISTEN: '127.0.0.1:0', WATCHDOG_USEC: '400000' })
    expect(await systemd.hears(/READY/)).toMatch(
      new RegExp(`^READY=1 \\| STATUS=listens on ${socket()} and 127\\.0\\.0\\.1:\\d+$`),
    )
    expect(statSync(socket()).isSocket()).toBe(true)
    await systemd.hears(/WATCHDOG=1/)
    running.child.kill('SIGTERM')
    expect(await systemd.hears(/STOPPING/)).toBe('STOPPING=1 | STATUS=stops')
    expect((await running.ended).code).toBe(0)
  })

  test('that it is degraded, and why', async () => {
    writeFileSync(join(folder.path, 'config.yaml'), 'logLevel: loud\nbundlesAtOnce: none\n')
    const { systemd, running } = await serve()
    expect(await systemd.hears(/READY/)).toMatch(
      /STATUS=listens on \S+ and no TCP; degraded: logLevel: "loud" is not a level; accepted: .* \(and 1 more, see \/health\)$/,
    )
    running.child.kill('SIGTERM')
    await running.ended
  })

  test('why it does not come up; the log ends with the same line', async () => {
    mkdirSync(join(folder.path, 'run'))
    writeFileSync(socket(), 'precious')
    const { systemd, running } = await serve()
    const { code, stderr } = await running.ended
    expect(code).toBe(1)
    expect(systemd.messages).toEqual([
      expect.stringMatching(/^STATUS=diagd cannot start: \S+ is there and not a socket; name another/) as string,
    ])
    const last = JSON.parse(stderr.trim().split('\n').at(-1)!) as Record<string, unknown>
    expect(last).toMatchObject({ level: 'fatal', msg: systemd.messages[0]!.slice('STATUS='.length) })
    expect(last).not.toHaveProperty('err')
  })
})

describe('the log', () => {
  /** Runs it with stderr on a file until it serves and stops. */
  const logOf = async (stream: (file: number) => string): Promise<string[]> => {
    systemd = await openNotifySocket(join(folder.path, 'notify'))
    const path = join(folder.path, 'log')
    const file = openSync(path, 'w')
    const env = environment({
      NOTIFY_SOCKET: systemd.name,
      JOURNAL_STREAM: stream(file),
      DIAGD_CONFIG_DIR: folder.path,
    })
    const child = spawn(process.execPath, [CLI, 'serve'], { env, stdio: ['ignore', 'ignore', file] })
    await systemd.hears(/READY/)
    child.kill('SIGTERM')
    await once(child, 'exit')
    closeSync(file)
    return readFileSync(path, 'utf8').trim().split('\n')
  }

  test('has plain lines with a priority where stderr is the journal', async () => {
    const lines = await logOf((file) => `${fstatSync(file).dev}:${fstatSync(file).ino}`)
    expect(lines[0]).toMatch(new RegExp(`^<6>diagd listens version=\\S+ tcp=closed socket=${socket()}$`))
    expect(lines.at(-1)).toBe('<6>diagd stopped')
  })

  test('has JSON lines where the journal was, before stderr went elsewhere', async () => {
    const lines = await logOf(() => '1:1')
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('diagd listens')
  })
})

describe('the socket of who is not root', () => {
  const modeOf = async (ownFolder: boolean): Promise<number> => {
    const { config, problems } = await loadConfig(environment({ DIAGD_CONFIG_DIR: folder.path }), 4711)
    const log = createLog('fatal', { writableLength: 0, write: () => true })
    const notifier = createNotifier({ environment: {}, warn() {} })
    const engine = { problems: [], node: 'test', collectorIds: [], bundleId: () => BUNDLE_ID }
    const loadEngine = async () => ({ ...engine, collect: async () => resultOf(0) })
    const daemon = await startDaemon({
      config,
      problems,
      log,
      notifier,
      uid: 4711,
      ownFolder,
      version: '0',
      loadEngine,
    })
    const { mode } = statSync(socket())
    await daemon.close()
    return mode & 0o777
  }

  // The folder belongs to the one who runs the test, and uid 4711 takes it only from root.
  test.runIf(process.getuid!() === 0)(
    'is open to its group in a folder that systemd made for the service',
    async () => {
      expect(await modeOf(true)).toBe(0o660)
    },
  )

  test.runIf(process.getuid!() === 0)('is its own alone elsewhere', async () => {
    expect(await modeOf(false)).toBe(0o600)
  })
})
