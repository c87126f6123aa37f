/**
 * The configuration: one schema gives validation, type, defaults and docs (docs/config.md is checked against it).
 * Loading it never fails, see config/load.ts.
 */
import { z } from 'zod'
import { CONTAINERS_ACCEPTS, parseContainersKey } from './config/containers.ts'
import { EVENTS_ACCEPTS, parseEventsKey } from './config/events.ts'
import { JWT_ACCEPTS, parseJwt } from './config/jwt.ts'
import { DEFAULT_LIMITS, formatLimits, LIMITS_GRAMMAR, parseLimits } from './config/limits.ts'
import { formatListen, parseListen } from './config/listen.ts'
import { METRICS_ACCEPTS, parseMetricsKey } from './config/metrics.ts'
import { OTLP_ACCEPTS, parseOtlpKey } from './config/otlp.ts'
import { listOf, parsed } from './config/parsed.ts'
import { parseRecipientsKey, RECIPIENTS_GRAMMAR } from './config/recipients.ts'
import type { Recipients } from './config/recipients.ts'
import { parseRedaction, REDACTION_ACCEPTS } from './config/redaction.ts'
import type { RedactionConfig } from './config/redaction.ts'
import { parseTls, TLS_ACCEPTS } from './config/tls.ts'
import { parseUploadsKey, UPLOADS_ACCEPTS } from './config/uploads.ts'

/** What docs, messages and the masking know of a key. */
export interface KeyMeta {
  description: string
  /** Completes "accepted: …" in a message. */
  accepts: string
  /** The default in words, for the docs. */
  default: string
  secret?: boolean
  /** Decides who may ask: where its value is bad, TCP stays closed. */
  door?: boolean
  /** A mapping: a message about it names the wrong part, and does not show the whole. */
  mapping?: boolean
  /** What a bad value leads to, where it is not that the default stands in. */
  effect?: string
}

const SOCKET_PATH = /^\/[^\0]{1,106}$/
const GROUP = /^(?:[A-Za-z_][A-Za-z0-9_.-]{0,31}|\d{1,10})$/
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/
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
    description: 'TCP address. `/health` is open there; all else needs a credential (see access.md).',
    accepts: 'ADDRESS:PORT (127.0.0.1:7433, [::1]:7433), or "none" for no TCP at all',
    default: '127.0.0.1:7433',
    door: true,
  }),
  tls: parsed(parseTls).meta({
    description: 'TLS on the TCP address. Without it only a loopback address is listened on.',
    accepts: TLS_ACCEPTS,
    default: 'none',
    door: true,
    mapping: true,
  }),
  hosts: listOf(HOST, 'a host name').prefault([]).meta({
    description: 'Names in the Host header that are answered on a loopback address, besides its own and localhost.',
    accepts: 'a list of at most 64 host names, without ports',
    default: 'none',
    door: true,
  }),
  socket: z.string().regex(SOCKET_PATH, 'is not a path of a socket').optional().meta({
    description: 'Unix socket, the local door: its owner, group and mode are its lock (0660 for root, else 0600).',
    accepts: 'an absolute path of at most 107 bytes',
    default:
      '/run/diagd/diagd.sock for root; else $XDG_RUNTIME_DIR/diagd/diagd.sock, or a folder of the user under the temporary folder',
  }),
  socketGroup: z.string('is not a group').regex(GROUP, 'is not a group').optional().meta({
    description: 'Group whose members may use the unix socket. Only root can give it to one.',
    accepts: 'a name or number of a group',
    default: '`diagd` where there is such a group, else that of the process',
  }),
  auth: z.literal('none', 'is not a way to authenticate').optional().meta({
    description: '`none` opens everything to everybody who reaches the TCP address. Think twice.',
    accepts: '"none", or the key left out',
    default: 'TCP asks for a credential',
    door: true,
  }),
  jwt: parsed(parseJwt).meta({
    description: 'JSON Web Tokens of a control plane that are credentials (see access.md).',
    accepts: JWT_ACCEPTS,
    default: 'none is',
    door: true,
    mapping: true,
  }),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'is not a level').prefault('info').meta({
    description: 'Least severe level that the daemon logs.',
    accepts: 'trace, debug, info, warn, error or fatal',
    default: 'info',
  }),
  watchedUnits: listOf(UNIT, 'a unit name').prefault([]).meta({
    description: 'systemd units whose state and journal belong in every bundle, besides the well-known ones.',
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
  recipients: parsed(parseRecipientsKey)
    .prefault([])
    .meta({
      description:
        'Who can open the bundles: every one is encrypted to these. A request adds recipients, and takes none away.',
      accepts: `"none", or a list of ${RECIPIENTS_GRAMMAR}`,
      default: 'none: not encrypted unless a request names some',
      mapping: true,
      effect: 'no bundle is made',
    }),
  redaction: parsed(parseRedaction).prefault({}).meta({
    description:
      'What is secret here besides what diagd masks by itself: patterns, names of keys, files whose lines are secrets (see security.md).',
    accepts: REDACTION_ACCEPTS,
    default: 'nothing more',
    mapping: true,
    effect: 'no bundle is made',
  }),
  events: parsed(parseEventsKey).prefault({}).meta({
    description: 'What is kept of what happened on this machine, in events.db in the state folder (see events.md).',
    accepts: EVENTS_ACCEPTS,
    default: '7 days, 64 MiB',
    mapping: true,
  }),
  metrics: parsed(parseMetricsKey).prefault({}).meta({
    description:
      'How the machine is measured, and what is kept of it, in metrics.db in the state folder (see metrics.md).',
    accepts: METRICS_ACCEPTS,
    default: 'every 10 s; for a day, and in minutes for 7 days; 64 MiB',
    mapping: true,
  }),
  containers: parsed(parseContainersKey).prefault({}).meta({
    description:
      'What is kept of containers, also of those that are gone: log, state, configuration (see containers.md).',
    accepts: CONTAINERS_ACCEPTS,
    default: '16 MiB of each log, 256 MiB in all, compressed; 1000 containers that are gone',
    mapping: true,
  }),
  otlp: parsed(parseOtlpKey).meta({
    description: 'A collector of OpenTelemetry that gets what is measured and recorded (see fleet.md).',
    accepts: OTLP_ACCEPTS,
    default: 'none',
    mapping: true,
  }),
  uploads: parsed(parseUploadsKey).meta({
    description:
      'Object storage that gets bundles: by schedule, on demand, and when something breaks (see uploads.md).',
    accepts: UPLOADS_ACCEPTS,
    default: 'none',
    mapping: true,
    effect: 'nothing is sent',
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

export type Config = Omit<z.infer<typeof configSchema>, 'socket' | 'recipients' | 'redaction'> & {
  socket: string
  recipients: Recipients
  /** `unknown`: there was to be something, and it cannot be understood. Nothing leaves then. */
  redaction: RedactionConfig | 'unknown'
  /** What outlives a restart. */
  stateDir: string
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

function isSecretKey(key: string): boolean {
  return Object.hasOwn(configSchema.shape, key) && metaOf(key as ConfigKey).secret === true
}
