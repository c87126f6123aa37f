/**
 * The mask on one core, without threads, files or archive around it: the generated logs, and the same with a secret in every
 * twentieth line; beside sed with ten expressions, which is how sos and troubleshoot go about it (line by line, one after another).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConfigured } from '../src/redact/configured.ts'
import { RULES } from '../src/redact/rules.ts'
import { random } from '../src/redact/self-test.ts'
import { createStream } from '../src/redact/stream.ts'
import { writeLogs } from './logs.ts'
import { median, type Row } from './table.ts'
import type { Workplace } from './workplace.ts'

const BYTES = 64e6
const ROUNDS = 5
const CHUNK_BYTES = 256 * 1024
const LINES_PER_SECRET = 20

/** What sos and troubleshoot mask by default, in the words of sed. */
const EXPRESSIONS = [
  's/((password|passwd|secret|token|api_?key)["\']?[[:space:]]*[:=][[:space:]]*["\']?)[^"\' ,]+/\\1***/Ig',
  's/(authorization: *(bearer|basic) +)[^ ]+/\\1***/Ig',
  's#([a-z]+://[^:/@ ]+:)[^@/ ]+@#\\1***@#Ig',
  's/(AKIA|ASIA)[A-Z0-9]{16}/***/g',
  's/gh[pousr]_[A-Za-z0-9]{36}/***/g',
  's/xox[abprs]-[A-Za-z0-9-]{10,}/***/g',
  's/eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+/***/g',
  's/(accountkey=)[^;]+/\\1***/Ig',
  's/(user id *= *|uid=)[^;]+/\\1***/Ig',
  's/(database|initial catalog) *= *[^;]+/\\1=***/Ig',
]

export async function redactRows(work: Workplace): Promise<Row[]> {
  const plain = join(work.folder, 'redact.log')
  writeLogs(plain, BYTES, 99)
  const secrets = join(work.folder, 'redact-secrets.log')
  writeFileSync(secrets, withSecrets(readFileSync(plain, 'utf8')))
  const script = join(work.folder, 'redact.sed')
  writeFileSync(script, EXPRESSIONS.join('\n'))
  return [
    await row('the generated logs', plain, script),
    await row(`one secret in ${LINES_PER_SECRET} lines`, secrets, script),
  ]
}

/** Of every kind in turn; those that take a line or a block take theirs, the others stand at the end of the line. */
function withSecrets(text: string): string {
  let next = 0
  return text.replaceAll('\n', (end) => {
    if (++next % LINES_PER_SECRET > 0) return end
    const { canary } = RULES[(next / LINES_PER_SECRET) % RULES.length]!
    return `\n${canary(random).text}\n`
  })
}

async function row(what: string, path: string, script: string): Promise<Row> {
  const bytes = readFileSync(path)
  const ours: Took[] = []
  const theirs: Took[] = []
  let masks = 0
  for (let round = 0; round < ROUNDS; round++) {
    const timed = await mask(bytes)
    masks = timed.masks
    ours.push(timed)
    theirs.push(sed(path, script))
  }
  const rate = (all: readonly Took[], of: keyof Took) =>
    (bytes.length / 1e6 / median(all.map((took) => took[of]))).toFixed(0)
  return {
    what: `mask, ${what}, ${masks} masks`,
    measured: `${rate(ours, 'cpu')} MB per second of CPU, ${rate(ours, 'wall')} MB/s`,
    beside: `≥ 200 MB/s; sed -E, ${EXPRESSIONS.length} expressions: ${rate(theirs, 'cpu')} and ${rate(theirs, 'wall')} MB/s`,
  }
}

interface Took {
  /** Seconds of the thread itself: what a core does, whoever else wants it. */
  readonly cpu: number
  readonly wall: number
}

async function mask(bytes: Buffer): Promise<Took & { masks: number }> {
  const redactor = createConfigured({ key: Buffer.alloc(32, 7) })
  const stream = createStream(async (stretch) => redactor(stretch))
  const before = process.threadCpuUsage()
  const began = performance.now()
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    for await (const part of stream.push(bytes.subarray(at, at + CHUNK_BYTES))) void part
  for await (const part of stream.end()) void part
  const wall = (performance.now() - began) / 1000
  const { user, system } = process.threadCpuUsage(before)
  const masks = Object.values(stream.hits).reduce((sum, count) => sum + count, 0)
  return { cpu: (user + system) / 1e6, wall, masks }
}

function sed(path: string, script: string): Took {
  const command = `TIMEFORMAT='%R %U %S'; time LC_ALL=C sed -E -f '${script}' '${path}' > /dev/null`
  const { stderr, status } = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
  const [wall, user, system] = stderr.trim().split(' ').map(Number)
  if (status !== 0 || !wall) throw new Error(`sed: ${stderr}`)
  return { cpu: user! + system!, wall }
}
