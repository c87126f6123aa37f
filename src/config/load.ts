/**
 * Reads config.yaml and DIAGD_… variables. A recorder must not die of a typo: what is wrong becomes a problem with its
 * key named, and the default stands in. Without certainty about who may ask, TCP stays closed.
 */
import { constants, open } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { CONFIG_KEYS, configSchema, metaOf, variableOf } from '../config.ts'
import type { Config, ConfigKey, Problem } from '../config.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface LoadedConfig {
  readonly config: Config
  readonly problems: readonly Problem[]
}

const CONFIG_FILE = 'config.yaml'

/** More than any configuration; keeps a mistaken path from filling the memory. */
const MAX_FILE_BYTES = 1024 * 1024

/** Variables that are not keys of the file. */
const OTHER_VARIABLES = new Set(['DIAGD_CONFIG_DIR'])

export async function loadConfig(environment: Environment, uid: number): Promise<LoadedConfig> {
  const problems: Problem[] = []
  const configDir = environment.DIAGD_CONFIG_DIR || '/etc/diagd'
  const file = await readFile(join(configDir, CONFIG_FILE), problems)
  const values: Record<string, unknown> = {}
  for (const key of CONFIG_KEYS) values[key] = valueOf(key, file.values[key], environment[variableOf(key)], problems)
  nameUnknown(file.values, environment, problems)

  const config = values as Config
  config.configDir = configDir
  config.stateDir = stateDir(environment, uid)
  config.socket ??= defaultSocket(environment, uid)
  config.engines = [...config.engines, ...dockerHost(environment.DOCKER_HOST, problems)]
  const uncertain = file.broken || problems.some(({ key }) => DOOR_KEYS.has(key))
  if (uncertain) Object.assign(config, { listen: undefined, auth: undefined })
  const inVariable = Boolean(environment[variableOf('recipients')])
  // What was meant for some eyes only does not go out for all, even where the key is misspelt.
  const misread = problems.some(({ key }) => /recipient/i.test(key))
  if (misread || (file.recipientsLost && !inVariable)) config.recipients = 'unknown'
  if (problems.some(({ key }) => /redact|mask/i.test(key)) || file.redactionLost) config.redaction = 'unknown'
  return { config, problems }
}

const DOOR_KEYS = new Set(CONFIG_KEYS.flatMap((key) => (metaOf(key).door ? [key, variableOf(key)] : [])))

async function readFile(
  path: string,
  problems: Problem[],
): Promise<{ values: Record<string, unknown>; broken: boolean; recipientsLost?: boolean; redactionLost?: boolean }> {
  let text = ''
  try {
    text = await readBounded(path)
    const values: unknown = parse(text, { uniqueKeys: true }) ?? {}
    if (typeof values !== 'object' || Array.isArray(values)) throw new Error('it has to be a mapping of keys to values')
    return { values: values as Record<string, unknown>, broken: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { values: {}, broken: false }
    problems.push({
      key: CONFIG_FILE,
      message: `${path} cannot be used, so TCP stays closed: ${wordsOf(error as Error)}`,
    })
    return {
      values: {},
      broken: true,
      recipientsLost: /\brecipients\b/.test(text),
      redactionLost: /\bredaction\b/.test(text),
    }
  }
}

/** Without the picture of the line that follows where YAML is not understood: it has several lines, and may have a secret in it. */
function wordsOf({ message }: Error): string {
  return message.split('\n', 1)[0]!.replace(/:$/, '')
}

async function readBounded(path: string): Promise<string> {
  // Non-blocking: a FIFO in its place would wait for a writer for ever.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stats = await file.stat()
  if (!stats.isFile()) throw new Error('it is not a regular file')
  const { size } = stats
  if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0)
  return buffer.toString('utf8', 0, bytesRead)
}

/** The variable wins over the file; an empty variable and a YAML null mean "not set". */
function valueOf(key: ConfigKey, inFile: unknown, variable: string | undefined, problems: Problem[]): unknown {
  const fromEnvironment = variable !== undefined && variable !== ''
  const raw = (fromEnvironment ? variable : inFile) ?? undefined
  const schema = configSchema.shape[key]
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const { accepts, secret, door, mapping, effect = 'the default stands in' } = metaOf(key)
  const shown = secret || mapping ? 'its value' : (JSON.stringify(raw) ?? '').slice(0, 200)
  const what = result.error.issues.map((issue) => issue.message).join('; ')
  problems.push({
    key: fromEnvironment ? variableOf(key) : key,
    message: `${shown} ${what}; accepted: ${accepts}; ${door ? 'TCP stays closed' : effect}`,
  })
  return schema.parse(undefined)
}

function nameUnknown(values: Record<string, unknown>, environment: Environment, problems: Problem[]): void {
  const known: readonly string[] = CONFIG_KEYS
  for (const key of Object.keys(values)) {
    if (!known.includes(key))
      problems.push({ key, message: `is not a key of ${CONFIG_FILE}; accepted: ${known.join(', ')}` })
  }
  const variables = new Set([...known.map(variableOf), ...OTHER_VARIABLES])
  for (const name of Object.keys(environment)) {
    if (name.startsWith('DIAGD_') && !variables.has(name)) {
      problems.push({ key: name, message: `is not a variable of diagd; accepted: ${[...variables].join(', ')}` })
    }
  }
}

/** systemd names the first of several. */
function stateDir(environment: Environment, uid: number): string {
  const given = environment.STATE_DIRECTORY?.split(':')[0]
  if (given) return given
  if (uid === 0) return '/var/lib/diagd'
  return join(environment.XDG_STATE_HOME || join(environment.HOME || homedir(), '.local/state'), 'diagd')
}

/** $XDG_RUNTIME_DIR is the user's own already; the folder under the temporary one gets its owner checked when opened. */
function defaultSocket(environment: Environment, uid: number): string {
  if (uid === 0) return '/run/diagd/diagd.sock'
  const runtime = environment.XDG_RUNTIME_DIR
  return runtime ? join(runtime, 'diagd/diagd.sock') : join(tmpdir(), `diagd-${uid}/diagd.sock`)
}

function dockerHost(value: string | undefined, problems: Problem[]): string[] {
  if (!value) return []
  if (/^unix:\/\/\/./.test(value)) return [value.slice('unix://'.length)]
  problems.push({ key: 'DOCKER_HOST', message: `"${value.slice(0, 200)}" is not asked: only unix:// sockets are` })
  return []
}
