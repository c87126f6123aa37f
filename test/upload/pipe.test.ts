import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPipe } from '../../src/upload/send/pipe.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { bytesOf } from '../helpers/upload.ts'

/** Both ends of a pipe. */
function pipe(): { readonly output: number; readonly input: number } {
  const path = join(temporaryFolder(), 'pipe')
  execFileSync('mkfifo', [path])
  // The first of the two would wait for the other.
  const output = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { output, input: openSync(path, constants.O_WRONLY) }
}

test('all that goes into a pipe comes out of it, in order, and its end is an end', async () => {
  const { output, input } = pipe()
  const bytes = bytesOf(60_000)
  const got: Buffer[] = []
  let written = 0
  const write = () => {
    writeSync(input, bytes, written, 20_000)
    written += 20_000
    if (written === bytes.length) closeSync(input)
  }
  write()
  for await (const chunk of openPipe(output).chunks) {
    got.push(Buffer.from(chunk))
    if (written < bytes.length) write()
  }
  expect(bytes.equals(Buffer.concat(got))).toBe(true)
})

test('a chunk stays as it is until the next is asked for', async () => {
  const { output, input } = pipe()
  const chunks = openPipe(output).chunks[Symbol.asyncIterator]()
  writeSync(input, 'first')
  const { value: first } = (await chunks.next()) as { value: Buffer }
  writeSync(input, 'other')
  // Whoever reads on would have it by then.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(first.toString()).toBe('first')
  expect(String((await chunks.next()).value)).toBe('other')
  closeSync(input)
  expect((await chunks.next()).done).toBe(true)
})

test('nobody waits for a pipe that was destroyed, and none is empty for ever', async () => {
  const { output, input } = pipe()
  const { chunks, destroy } = openPipe(output)
  const next = chunks[Symbol.asyncIterator]().next()
  destroy()
  expect((await next).done).toBe(true)
  closeSync(input)
  const empty = pipe()
  closeSync(empty.input)
  for await (const chunk of openPipe(empty.output).chunks) expect.unreachable(String(chunk))
})
