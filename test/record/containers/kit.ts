/** Logs in folders of their own, and what to put into them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { inflateSegment } from '../../../src/record/containers/keep/segment.ts'
import { LogWriter, type LogWriterOptions, type MaskedBatch } from '../../../src/record/containers/keep/log-writer.ts'
import { readLog } from '../../../src/record/containers/keep/read-log.ts'
import { stampOf } from '../../../src/record/containers/frames/moments.ts'

export const NOON = Date.UTC(2026, 5, 15, 12) / 1000

export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diagd-kept-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'containers', 'rootful', 'c0ffee')
}

/** As the daemon has it after its start; the one before is dead, or closed. */
export function openWriter(folder: string, options: Partial<LogWriterOptions> = {}): LogWriter {
  return new LogWriter({ folder, maxBytes: 16 * 1024 * 1024, ...options }, { rules: 'r1', values: 0 })
}

/** Lines that say their number, one each millisecond; their frames go into the memory of the writer, as they do when they are read. */
export function batch(writer: LogWriter, from: number, count: number, more: Partial<MaskedBatch> = {}): MaskedBatch {
  const lines = Array.from({ length: count }, (_, index) => lineOf(from + index))
  for (let number = from; number < from + count; number++) {
    writer.memory.add(NOON + Math.floor(number / 1000), (number % 1000) * 1e6 + 2 ** 30, number)
  }
  return {
    text: Buffer.from(lines.join('')),
    lines: count,
    first: lines[0]?.slice(0, 30),
    last: lines.at(-1)?.slice(0, 30),
    frames: writer.memory.newest(count),
    highestSeconds: writer.memory.highestSeconds,
    flood: 0,
    withheld: 0,
    ambiguous: 0,
    rules: 'r1',
    values: 0,
    ...more,
  }
}

export function lineOf(number: number): string {
  const stamp = stampOf(NOON + Math.floor(number / 1000), (number % 1000) * 1e6)
  return `${stamp} stdout F line ${number} ${((number * 2654435761) >>> 0).toString(36).repeat(20)}\n`
}

export const stampOfLine = (number: number) => lineOf(number).slice(0, 30)

/** A line of CRI text, as an engine sends it. */
export function frameOf(line: string): Buffer {
  const body = Buffer.from(line.slice(0, 31) + line.slice('2026-06-15T12:00:00.000000000Z stdout F '.length))
  const header = Buffer.alloc(8)
  header[0] = 1
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

export async function textOf(folder: string, span: Parameters<typeof readLog>[1] = {}): Promise<string> {
  const parts: Buffer[] = []
  for await (const piece of readLog(folder, span)) {
    parts.push('segment' in piece ? inflateSegment(piece.segment) : piece.text)
  }
  return Buffer.concat(parts).toString()
}

/** Numbers of the lines, in their order. */
export const numbersIn = (text: string): number[] =>
  [...text.matchAll(/ F line (\d+) /g)].map(([, digits]) => Number(digits))

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
