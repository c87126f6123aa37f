/** `diagd redact [FILE|-]`: any text through the mask that a bundle goes through. */
import { constants, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { compressionOf } from '../collect/compressed.ts'
import { secretsIn } from '../collect/secret-files.ts'
import type { Config } from '../config.ts'
import { loadConfig } from '../config/load.ts'
import { nodeKey } from '../redact/node-key.ts'
import { selfTest } from '../redact/self-test.ts'
import { createRedactionService, RedactionError, type BundleRedactor } from '../redact/service.ts'
import type { RedactionStream } from '../redact/stream.ts'
import { terminalView } from './highlight.ts'
import { EXIT, print, say, sayProblems, type Io } from './io.ts'

const READ_BYTES = 256 * 1024
/** A pipe may bring the first bytes one by one; every kind of compression is known by these. */
const MAGIC_BYTES = 8

export async function redact(file: string | undefined, io: Io): Promise<number> {
  const { config, problems } = await loadConfig(io.environment, io.uid)
  sayProblems(io, problems)
  if (config.redaction === 'unknown') return refuse(io, 'the configuration of what is secret cannot be understood')
  let input: Readable
  try {
    input = file === undefined || file === '-' ? io.stdin : await openFile(file)
  } catch (error) {
    return refuse(io, `${file} cannot be read: ${(error as Error).message}`)
  }
  const service = createRedactionService()
  try {
    const redactor = service.open(await optionsOf(config, config.redaction, io))
    await prove(redactor)
    const stream = redactor.stream()
    await pump(input, stream, io)
    for (const line of hitsTable(stream.hits)) say(io, line)
    return EXIT.whole
  } catch (error) {
    if (!(error instanceof RedactionError)) throw error
    say(io, `diagd: what comes from here on is not handed over, for it could not be masked: ${error.message}`)
    return EXIT.failed
  } finally {
    await service.close()
  }
}

/** One line per kind of mask, the most frequent first, and the sum. */
export function hitsTable(hits: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(hits).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  const total = rows.reduce((sum, [, number]) => sum + number, 0)
  const cells = [['RULE', 'HITS'], ...rows.map(([rule, number]) => [rule, String(number)]), ['total', String(total)]]
  const [first, second] = [0, 1].map((column) => Math.max(...cells.map((line) => line[column]!.length)))
  return cells.map(([rule, number]) => `${rule!.padEnd(first!)}  ${number!.padStart(second!)}`)
}

function refuse(io: Io, why: string): number {
  say(io, `diagd: ${why}`)
  return EXIT.usage
}

async function openFile(path: string): Promise<Readable> {
  const handle: FileHandle = await open(path, constants.O_RDONLY)
  if ((await handle.stat()).isDirectory()) {
    await handle.close()
    throw new Error('it is a folder; accepted: a file, or "-" for stdin')
  }
  return handle.createReadStream({ highWaterMark: READ_BYTES })
}

async function optionsOf({ stateDir }: Config, { names, rules, files }: Exclude<Config['redaction'], string>, io: Io) {
  const key = await nodeKey(join(stateDir, 'redaction.key'))
  if (key.problem !== undefined)
    say(io, `diagd: the tokens in the masks are those of this run alone, for the key of this node: ${key.problem}`)
  return { key: key.bytes, names, userRules: rules, live: await secretsIn(files) }
}

/** @throws RedactionError when secrets of every kind, made up on the spot, do not all stay in. */
async function prove(redactor: BundleRedactor): Promise<void> {
  const { missed } = await selfTest(redactor.stream())
  if (missed.length > 0) throw new RedactionError(`the test of the mask failed (${missed.join(', ')})`)
}

async function pump(input: Readable, stream: RedactionStream, { stdout }: Io): Promise<void> {
  const view = stdout.isTTY ? terminalView() : undefined
  const send = async (parts: AsyncIterable<Uint8Array>) => {
    for await (const part of parts) {
      const shown = view ? view.push(part) : Buffer.from(part.buffer, part.byteOffset, part.length)
      if (shown.length > 0) await print(stdout, shown)
    }
  }
  let head: Buffer | undefined = Buffer.alloc(0)
  const begin = async (bytes: Buffer) => {
    const compression = compressionOf(bytes)
    if (compression !== undefined) throw new RedactionError(`it is compressed (${compression}); unpack it first`)
    await send(stream.push(bytes))
  }
  for await (const chunk of input as AsyncIterable<Buffer>) {
    if (!head) await send(stream.push(chunk))
    else if (head.length + chunk.length < MAGIC_BYTES) head = Buffer.concat([head, chunk])
    else {
      await begin(head.length === 0 ? chunk : Buffer.concat([head, chunk]))
      head = undefined
    }
  }
  if (head) await begin(head)
  await send(stream.end())
  if (view) await print(stdout, view.end())
}
