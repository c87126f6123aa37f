/** `diagd token`: creates, lists and revokes bearer tokens. A daemon that runs takes notice at the next request. */
import { open, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { DEFAULT_SCOPES, parseScopes, SCOPES, type Scope } from '../config/scopes.ts'
import type { Config } from '../config.ts'
import { formatListen } from '../config/listen.ts'
import { loadConfig } from '../config/load.ts'
import { UsageError } from '../collect/request.ts'
import {
  isTokenName,
  listTokens,
  NAME_ACCEPTS,
  removeToken,
  tokensFolder,
  writeToken,
} from '../http/auth/token-files.ts'
import { createTokenStore } from '../http/auth/token-store.ts'
import { digestOf, newToken } from '../http/auth/token.ts'
import { forTerminal } from '../terminal.ts'
import { EXIT, print, say } from './io.ts'
import type { Io } from './io.ts'

export interface CreateOptions {
  readonly scopes?: string
  readonly expires?: string
  readonly output?: string
  readonly ifMissing?: true
}

/** Writes the header line that curl sends, for the caller's eyes alone; the daemon keeps the digest. */
export async function createToken(name: string, options: CreateOptions, io: Io): Promise<number> {
  if (!isTokenName(name)) throw new Error(`"${name}" is not a name of a token; accepted: ${NAME_ACCEPTS}`)
  const scopes = scopesOf(options.scopes)
  const nowMs = Date.now()
  const expiresMs = options.expires === undefined ? Infinity : nowMs + durationOf(options.expires)
  const { config } = await loadConfig(io.environment, io.uid)
  const folder = tokensFolder(config.configDir)
  if ((await listTokens(folder, io.uid)).names.includes(name)) return exists(name, options, io)

  const token = newToken()
  const output = await openHeader(options.output ?? `${name}.header`, io)
  try {
    // First where it goes, then what it opens: a token that nobody holds is no use.
    await output.write(`Authorization: Bearer ${token}\n`)
    await writeToken(folder, { name, digest: digestOf(token), scopes, createdMs: nowMs, expiresMs })
    await refuseUnused(folder, name, io.uid)
  } catch (error) {
    await output.discard()
    throw error
  }
  await output.finish()
  say(io, created(name, scopes, expiresMs, output.path, config))
  return EXIT.whole
}

export async function listAll(io: Io): Promise<number> {
  const { config } = await loadConfig(io.environment, io.uid)
  const store = createTokenStore(tokensFolder(config.configDir), io.uid)
  const tokens = await store.all()
  for (const problem of store.problems()) say(io, `diagd: ${problem}`)
  const rows = tokens.map(({ name, scopes, createdMs, expiresMs }) => [
    name,
    scopes.join(','),
    new Date(createdMs).toISOString(),
    expiresMs === Infinity
      ? 'never'
      : new Date(expiresMs).toISOString() + (expiresMs <= Date.now() ? ' (expired)' : ''),
  ])
  const lines = [['NAME', 'SCOPES', 'CREATED', 'EXPIRES'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]!.length)))
  const text = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  await print(io.stdout, `${text.map(forTerminal).join('\n')}\n`)
  return EXIT.whole
}

export async function revokeToken(name: string, io: Io): Promise<number> {
  const { config } = await loadConfig(io.environment, io.uid)
  const folder = tokensFolder(config.configDir)
  const gone = isTokenName(name) && (await removeToken(folder, name))
  if (!gone) {
    const { names } = await listTokens(folder, io.uid)
    throw new Error(`there is no token "${name}" in ${folder}; there are: ${names.join(', ') || 'none'}`)
  }
  say(io, `the token "${name}" is revoked`)
  return EXIT.whole
}

/** In a folder that others may write the daemon would not look at it. */
async function refuseUnused(folder: string, name: string, uid: number): Promise<void> {
  const { names, problems } = await listTokens(folder, uid)
  if (names.includes(name)) return
  await removeToken(folder, name)
  throw new Error(problems.join('; '))
}

function exists(name: string, { ifMissing }: CreateOptions, io: Io): number {
  if (!ifMissing) throw new Error(`there is a token "${name}" already; diagd token revoke ${name} takes it back`)
  say(io, `there is a token "${name}" already; it stays as it is`)
  return EXIT.whole
}

function scopesOf(text: string | undefined): readonly Scope[] {
  if (text === undefined) return DEFAULT_SCOPES
  try {
    return parseScopes(text)
  } catch (error) {
    throw new UsageError('scopes', `${(error as Error).message}; accepted: ${SCOPES.join(', ')}, comma-separated`)
  }
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

function durationOf(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,4})([mhdw])$/.exec(text) ?? []
  if (Number(amount) > 0) return Number(amount) * UNIT_MS[unit]!
  throw new UsageError('expires', `"${text}" is not a time to live; accepted: 30m, 12h, 90d, 52w`)
}

interface HeaderOutput {
  /** Undefined for stdout. */
  readonly path: string | undefined
  write(text: string): Promise<void>
  finish(): Promise<void>
  discard(): Promise<void>
}

async function openHeader(path: string, { stdout }: Pick<Io, 'stdout'>): Promise<HeaderOutput> {
  if (path === '-') {
    let held = ''
    return {
      path: undefined,
      // Not before it is worth something.
      write: async (text) => void (held = text),
      finish: () => print(stdout, held),
      discard: async () => {},
    }
  }
  const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new Error(`${path} is there already, and is not overwritten; name another by --output, or remove it`)
  })
  const close = () => handle.close()
  return {
    path,
    async write(text) {
      await handle.writeFile(text)
      await handle.sync()
    },
    finish: close,
    discard: () => close().finally(() => rm(path, { force: true })),
  }
}

function created(name: string, scopes: readonly Scope[], expiresMs: number, path: string | undefined, config: Config) {
  const until = expiresMs === Infinity ? '' : `, until ${new Date(expiresMs).toISOString()}`
  const what = `token "${name}" for ${scopes.join(', ')}${until}`
  if (path === undefined) return what
  const scheme = typeof config.tls === 'object' ? 'https' : 'http'
  const { listen } = config
  const host = listen && /^[0:.]+$/.test(listen.host) ? hostname() : listen?.host
  const address = listen && formatListen({ ...listen, host: host! })
  const use = address ? `: curl -fOJ -H @${path} ${scheme}://${address}/debug-package` : ''
  return `${what} written to ${path}${use}`
}
