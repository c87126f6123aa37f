/**
 * The configuration: one schema gives validation, type, defaults and docs (docs/config.md is checked against it).
 * Loading it never fails, see config/load.ts.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { DEFAULT_LIMITS, formatLimits, LIMITS_GRAMMAR, parseLimits } from './config/limits.ts'

/** What docs, messages and the masking know of a key. */
export interface KeyMeta {
  description: string
  /** Completes "accepted: …" in a message. */
  accepts: string
  /** The default in words, for the docs. */
  default: string
  secret?: boolean
}

const SOCKET_PATH = /^\/[^\0]{1,106}$/
const UNIT = /^[A-Za-z0-9:_.@\\-]{1,255}$/

export const configSchema = z.object({
  node: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'is not a name of a node')
    .optional()
    .meta({
      description: 'Name of this machine, in the names of its bundles and in their index.json.',
      accepts: '1 to 63 letters, digits, ".", "_" and "-", a letter or digit first',
      default: 'the instance id of cloud-init, else the hostname',
    }),
  listen: parsed(parseListen).prefault('127.0.0.1:7433').meta({
    description: 'TCP address. It serves `/health` only, unless `auth` says otherwise.',
    accepts: 'ADDRESS:PORT (127.0.0.1:7433, [::1]:7433), or "none" for no TCP at all',
    default: '127.0.0.1:7433',
  }),
  socket: z.string().regex(SOCKET_PATH, 'is not a path of a socket').optional().meta({
    description: 'Unix socket, the local door: its file mode is its lock (0660 for root, else 0600).',
    accepts: 'an absolute path of at most 107 bytes',
    default:
      '/run/diagd/diagd.sock for root; else $XDG_RUNTIME_DIR/diagd/diagd.sock, or a folder of the user under the temporary folder',
  }),
  auth: z.literal('none', 'is not a way to authenticate').optional().meta({
    description: '`none` opens everything to everybody who reaches the TCP address. Think twice.',
    accepts: '"none", or the key left out',
    default: 'TCP answers /health only',
  }),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'is not a level').prefault('info').meta({
    description: 'Least severe level that the daemon logs.',
    accepts: 'trace, debug, info, warn, error or fatal',
    default: 'info',
  }),
  watchedUnits: listOf(UNIT, 'a unit name').prefault([]).meta({
    description: 'systemd units whose state and journal belong into every bundle, besides the well-known ones.',
    accepts: 'a list of at most 64 unit names (app.service, worker@1.service)',
    default: 'none',
  }),
  engines: listOf(SOCKET_PATH, 'an absolute path of a socket', (path) => path.replace(/^unix:\/\//, ''))
    .prefault([])
    .meta({
      description:
        'Sockets of container engines to ask besides those found, whether or not their process can be seen. `DOCKER_HOST` adds one.',
      accepts: 'a list of at most 64 absolute paths, with or without "unix://" before',
      default: 'none',
    }),
  limits: parsed((value) => parseLimits(typeof value === 'string' ? value : JSON.stringify(value)))
    .prefault(formatLimits(DEFAULT_LIMITS))
    .meta({
      description: 'Limits of a bundle for which the request names none.',
      accepts: LIMITS_GRAMMAR,
      default: formatLimits(DEFAULT_LIMITS),
    }),
  bundlesAtOnce: z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
      z.int('is not a whole number').min(1, 'is less than 1').max(16, 'is more than 16'),
    )
    .prefault(2)
    .meta({
      description: 'Bundles made at the same time; one more is kept for the unix socket. Beyond that: 429.',
      accepts: 'a whole number from 1 to 16',
      default: '2',
    }),
})

export type ConfigKey = keyof typeof configSchema.shape

export type Config = Omit<z.infer<typeof configSchema>, 'socket'> & {
  socket: string
  /** Where config.yaml, collectors.d and extras.d are looked for. */
  configDir: string
}

/** What is wrong with a key, a variable, the file, a drop-in. The message names what is accepted. */
export interface Problem {
  readonly key: string
  readonly message: string
}

export const CONFIG_KEYS = Object.keys(configSchema.shape) as readonly ConfigKey[]

export function metaOf(key: ConfigKey): KeyMeta {
  return configSchema.shape[key].meta() as unknown as KeyMeta
}

/** `logLevel` → `DIAGD_LOG_LEVEL`. */
export function variableOf(key: string): string {
  return `DIAGD_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** The configuration as it may be shown: secrets replaced, everything JSON. */
export function masked(config: Config, isSecret = (key: string) => isSecretKey(key)): Record<string, unknown> {
  const shown = { ...config, limits: formatLimits(config.limits), listen: formatListen(config.listen) }
  return Object.fromEntries(
    Object.entries(shown).map(([key, value]) => [key, value !== undefined && isSecret(key) ? '(masked)' : value]),
  )
}

export interface Listen {
  readonly host: string
  readonly port: number
}

export function formatListen(listen: Listen | undefined): string {
  if (!listen) return 'none'
  return isIPv6(listen.host) ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`
}

function isSecretKey(key: string): boolean {
  return Object.hasOwn(configSchema.shape, key) && metaOf(key as ConfigKey).secret === true
}

function parseListen(value: unknown): Listen | undefined {
  if (value === 'none') return undefined
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(String(value))
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  const known = match?.[1] ? isIPv6(host) : isIPv4(host) || host === 'localhost'
  if (!known || port > 65_535) throw new Error('is not an address and port')
  return { host, port }
}

/** A list in YAML; comma-separated in the environment. 64 is more than anybody means. */
function listOf(item: RegExp, what: string, clean: (text: string) => string = (text) => text) {
  return parsed((value): string[] => {
    const list: unknown = typeof value === 'string' ? value.split(',').filter((text) => text.trim() !== '') : value
    if (!Array.isArray(list)) throw new Error('is not a list')
    if (list.length > 64) throw new Error('has more than 64 items')
    return list.map((one: unknown) => {
      const text = typeof one === 'string' ? clean(one.trim()) : ''
      if (!item.test(text)) throw new Error(`contains ${JSON.stringify(one)}, which is not ${what}`)
      return text
    })
  })
}

/** A schema of a function that throws what is wrong with its argument. */
function parsed<T>(parse: (value: unknown) => T) {
  return z.unknown().transform((value, context): T => {
    try {
      return parse(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}
