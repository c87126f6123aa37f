/** Runs the command as a user does. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** Engines of the machine, and of other tests, are followed by no test that does not ask for it. */
const NOBODYS = { DIAGD_CONTAINERS: 'none' }

export interface Ran {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ran>
  /** Resolves when stderr says so; rejects when the command ends without. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>
}

export interface Surroundings {
  readonly cwd: string
  /** Instead of the test's own environment, apart from PATH. */
  readonly env?: Record<string, string>
  readonly stdin?: Buffer
}

export function start(args: readonly string[], { cwd, env = {}, stdin }: Surroundings): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env.PATH, DIAGD_CONFIG_DIR: cwd, STATE_DIRECTORY: stateFolder(), ...NOBODYS, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {}).end(stdin)
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }))
  })
  // A test that fails half-way leaves nothing that runs.
  onTestFinished(async () => {
    child.kill()
    await ended
  })
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(stderr)
        if (found) resolve(found)
      }
      child.stderr.on('data', look)
      void ended.then(() => reject(new Error(`it ended without saying ${String(pattern)}: ${stderr}`)))
      look()
    })
  return { child, ended, says }
}

export function run(args: readonly string[], surroundings: Surroundings): Promise<Ran> {
  return start(args, surroundings).ended
}

let state: string | undefined

afterAll(() => {
  if (state !== undefined) rmSync(state, { recursive: true, force: true })
})

/** Not that of the machine the tests run on; the same for all of a file, as keys have to be. */
function stateFolder(): string {
  state ??= mkdtempSync(join(tmpdir(), 'diagd-state-'))
  return state
}
