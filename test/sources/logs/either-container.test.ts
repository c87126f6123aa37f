import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readLog, readLogFacts } from '../../../src/record/containers/keep/read-log.ts'
import { containerSource } from '../../../src/sources/logs/container.ts'
import { eitherContainerSource } from '../../../src/sources/logs/either-container.ts'
import { keptContainerSource } from '../../../src/sources/logs/kept-container.ts'
import type { LogBatches, LogSource, RawLine } from '../../../src/sources/logs/line.ts'
import { onRequest, ownFolder as folderOf, peer, sourceContext } from '../../helpers/source.ts'
import { batch, frameOf, lineOf, NOON, openWriter, ownFolder, upTo } from '../../record/containers/kit.ts'

const LINES = 1000
const id = 'b'.repeat(64)
const span = { sinceUs: 0, untilUs: (NOON + 3600) * 1e6 }

async function keptSource(): Promise<LogSource> {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  writer.append(batch(writer, 0, LINES))
  writer.close()
  const { first, last } = (await readLogFacts(folder))!
  const pieces = (times: Parameters<typeof readLog>[1]) => readLog(folder, times)
  return keptContainerSource({ id, name: 'box', removed: true, running: false, first, last, knownMs: 0, pieces })
}

/** Answers of an engine, one for each question: lines, or what it says instead. */
async function engine(answers: readonly (readonly number[] | string)[], breaksOff = false): Promise<LogSource> {
  const left = [...answers]
  const { path } = await peer(join(await folderOf(), 'docker.sock'), (socket) => {
    onRequest(socket, () => {
      const next = left.shift()
      if (typeof next === 'string' || next === undefined) {
        const text = JSON.stringify({ message: next })
        socket.end(`HTTP/1.1 404 Not Found\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
        return
      }
      const body = Buffer.concat(next.map((number) => frameOf(lineOf(number))))
      const length = body.length + (breaksOff ? 1 : 0)
      socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`), body]))
    })
  })
  return containerSource({ socket: path, id, name: 'box', running: true })
}

const numbersOf = (lines: readonly RawLine[]) =>
  lines.filter(({ context }) => !context).map(({ message }) => Number(message.split(' ')[1]))

async function read(batches: LogBatches, backward = false) {
  const numbers: number[] = []
  let step = await batches.next()
  for (; !step.done; step = await batches.next()) {
    const found = numbersOf(step.value)
    numbers.push(...(backward ? found.toReversed() : found))
  }
  return { numbers, end: step.value }
}

test('where the answer of the engine breaks off, what is kept goes on, and that is said', async () => {
  const kept = await keptSource()
  const source = eitherContainerSource(await engine([upTo(400)], true), async () => kept)
  const { numbers, end } = await read(source.read({ ...span, direction: 'forward' }, sourceContext()))
  expect(numbers).toEqual(upTo(LINES))
  expect(end).toMatch(/; what follows is what was kept$/)
})

test('of a container that is removed while it is read backward, what is kept goes on: nothing is wrong', async () => {
  const kept = await keptSource()
  const gone = `No such container: ${id}`
  const source = eitherContainerSource(await engine([upTo(LINES).slice(-128), gone]), async () => kept)
  const { numbers, end } = await read(source.read({ ...span, direction: 'backward' }, sourceContext()), true)
  expect(numbers).toEqual(upTo(LINES).toReversed())
  expect(end).toBeUndefined()
})

test('a follower gets the last words that the engine left no time for, once each', async () => {
  const kept = await keptSource()
  const source = eitherContainerSource(await engine([upTo(900)]), async () => kept)
  expect(await read(source.follow({ sinceUs: 0 }, sourceContext()))).toEqual({ numbers: upTo(LINES), end: undefined })
  const broken = eitherContainerSource(await engine([upTo(900)], true), async () => kept)
  const numbers: number[] = []
  const all = async () => {
    for await (const lines of broken.follow({ sinceUs: 0 }, sourceContext())) numbers.push(...numbersOf(lines))
  }
  await expect(all()).rejects.toThrow(/docker\.sock/)
  expect(numbers).toEqual(upTo(LINES))
})

test('where nothing is kept, the engine has the word', async () => {
  const source = eitherContainerSource(await engine([`No such container: ${id}`]), async () => undefined)
  const reading = read(source.read({ ...span, direction: 'forward' }, sourceContext()))
  await expect(reading).rejects.toThrow('No such container')
})
