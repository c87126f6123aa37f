/** The tokens on disk: `tokens.d/<name>.yaml`, one file each, and no token in any of them. */
import { constants, link, lstat, mkdir, open, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { trustedFiles } from '../../collect/trusted-files.ts'
import { mappingOf, parsed } from '../../config/parsed.ts'
import { parseScopes, type Scope } from '../../config/scopes.ts'

export interface TokenRecord {
  readonly name: string
  /** SHA-256 of the whole token. */
  readonly digest: Buffer
  readonly scopes: readonly Scope[]
  readonly createdMs: number
  /** Infinity when it does not expire. */
  readonly expiresMs: number
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
export const NAME_ACCEPTS = '1 to 63 letters, digits, ".", "_" and "-", a letter or digit first'

const SUFFIX = '.yaml'
/** A record has five lines. */
const MAX_FILE_BYTES = 4096
/** Each is compared with what a caller presents. */
const MAX_TOKENS = 256

export function isTokenName(name: string): boolean {
  return NAME.test(name)
}

export function tokensFolder(configDir: string): string {
  return join(configDir, 'tokens.d')
}

/** Names of the tokens there, and what else lies there or cannot be trusted. */
export async function listTokens(folder: string, uid: number): Promise<{ names: string[]; problems: string[] }> {
  const { files, problems } = await trustedFiles(folder, uid)
  const names: string[] = []
  for (const file of files) {
    const name = file.slice(0, -SUFFIX.length)
    if (file.endsWith(SUFFIX) && isTokenName(name)) names.push(name)
    else problems.push(`${join(folder, file)} is not used: its name is not NAME${SUFFIX} (${NAME_ACCEPTS})`)
  }
  const surplus = names.splice(MAX_TOKENS)
  if (surplus.length > 0)
    problems.push(`${folder}: ${surplus.length} tokens over the limit of ${MAX_TOKENS} are not used`)
  return { names, problems }
}

/** What changes when the file does. */
export async function versionOf(folder: string, name: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await lstat(fileOf(folder, name), { bigint: true })
  return [ino, size, mtimeNs, ctimeNs].join(' ')
}

const record = z.strictObject({
  sha256: z.string('is missing').regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hex'),
  scopes: parsed(parseScopes),
  created: parsed(timeOf),
  expires: parsed(timeOf).optional(),
})

/** @throws Error that says what is wrong with the file. */
export async function readToken(folder: string, name: string): Promise<TokenRecord> {
  await using file = await open(fileOf(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES + 1), 0, MAX_FILE_BYTES + 1, 0)
  if (bytesRead > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`)
  const values: unknown = parse(buffer.toString('utf8', 0, bytesRead), { uniqueKeys: true })
  const { sha256, scopes, created, expires } = mappingOf(record, typeof values === 'string' ? undefined : values)
  return { name, digest: Buffer.from(sha256, 'hex'), scopes, createdMs: created, expiresMs: expires ?? Infinity }
}

/** @throws Error with the code EEXIST when there is one of that name. */
export async function writeToken(folder: string, { name, digest, ...token }: TokenRecord): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true, mode: 0o755 })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const part = join(folder, `.${name}.${process.pid}.part`)
  const text = stringify({
    sha256: digest.toString('hex'),
    scopes: token.scopes,
    created: new Date(token.createdMs).toISOString(),
    ...(token.expiresMs === Infinity ? {} : { expires: new Date(token.expiresMs).toISOString() }),
  })
  try {
    await using file = await open(part, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
    // A daemon that looks now sees all of it or nothing; another token of that name is never replaced.
    await link(part, fileOf(folder, name))
  } finally {
    await rm(part, { force: true })
  }
}

/** @returns whether there was one of that name. */
export async function removeToken(folder: string, name: string): Promise<boolean> {
  return unlink(fileOf(folder, name)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

function fileOf(folder: string, name: string): string {
  return join(folder, name + SUFFIX)
}

function timeOf(value: unknown): number {
  const timeMs = typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(timeMs)) throw new Error('is not a time like 2026-01-31T12:00:00Z')
  return timeMs
}
