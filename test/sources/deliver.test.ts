import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { deliver, deliverView } from '../../src/sources/deliver.ts'
import { RegularFile } from '../../src/sources/regular.ts'
import { readAll, tempFolder } from '../helpers/file-source.ts'

/** Reads where the last read ended: a FIFO has no positions. */
class Unpositioned extends RegularFile {
  override read(buffer: Buffer, length: number): Promise<number> {
    return super.read(buffer, length, null)
  }
}

/** A file whose reads block, as on a dying disk: a FIFO that nobody writes to. */
async function blocking(sizeBytes: number, ms: number): Promise<RegularFile> {
  const path = join(await tempFolder(), 'fifo')
  await promisify(execFile)('mkfifo', [path])
  const handle = await open(path, constants.O_RDWR)
  const stats = Object.assign(await handle.stat(), { size: sizeBytes })
  const patience = { ms, signal: new AbortController().signal }
  const writer = await open(path, constants.O_RDWR)
  // Lets the abandoned read end, so that the descriptor behind it is closed.
  onTestFinished(async () => {
    await writer.write('free')
    await writer.close()
  })
  return new Unpositioned(handle, { path, stats, isView: false, patience })
}

test('a read that does not return is given up at the stall limit; what was announced is delivered', async () => {
  const file = await blocking(1000, 50)
  const { sizeBytes, chunks } = deliver(file, { pieces: [{ from: 0, to: 1000 }], cutBytes: 0, growthIsNormal: true })
  const { bytes, end } = await readAll({ chunks })
  await file.close()
  expect(bytes.length).toBe(sizeBytes)
  expect(end.outcome).toBe('timeout')
  expect(end.detail).toMatch(/no answer within 50 ms; padded$/)
})

test('a view of the kernel that does not answer is a time-out', async () => {
  const file = await blocking(0, 50)
  await expect(readAll({ chunks: deliverView(file, 1000) })).rejects.toMatchObject({ outcome: 'timeout' })
  await file.close()
})
