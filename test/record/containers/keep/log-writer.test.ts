import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { combineCrc32 } from '../../../../src/archive/crc32.ts'
import { listLogFiles, scanLogFile } from '../../../../src/record/containers/keep/log-files.ts'
import { readLog, readLogFacts } from '../../../../src/record/containers/keep/read-log.ts'
import { SEGMENT_TEXT_BYTES } from '../../../../src/record/containers/keep/segment.ts'
import { batch, lineOf, numbersIn, openWriter, ownFolder, textOf, upTo } from '../kit.ts'

/** Each batch is some 18 kB of text: 59 of them make a segment. */
const PER_BATCH = 100

function fill(writer: ReturnType<typeof openWriter>, from: number, batches: number): number {
  for (let index = 0; index < batches; index++) writer.append(batch(writer, from + index * PER_BATCH, PER_BATCH))
  return from + batches * PER_BATCH
}

test('what was appended is read, in its order, while the writer goes on', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  let count = 0
  for (let round = 0; round < 8; round++) {
    count = fill(writer, count, 30)
    expect(numbersIn(await textOf(folder))).toEqual(upTo(count))
  }
  expect(await readLogFacts(folder)).toEqual({
    lines: count,
    ambiguous: 0,
    dropped: { cap: 0, flood: 0, withheld: 0 },
    first: lineOf(0).slice(0, 30),
    last: lineOf(count - 1).slice(0, 30),
  })
  writer.close()
})

test('what comes while it is read is not in it', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const count = fill(writer, 0, 900)
  expect(listLogFiles(folder).length).toBeGreaterThan(1)
  const reading = readLog(folder)
  const pieces = [(await reading.next()).value!]
  fill(writer, count, 200)
  for await (const piece of reading) pieces.push(piece)
  writer.close()
  const lines = pieces.map((piece) => ('segment' in piece ? piece.segment.lines : piece.lines))
  expect(lines.reduce((all, one) => all + one, 0)).toBe(count)
  expect(pieces.at(-1)).toHaveProperty('text')
})

test('segments are gzip that others read, and raw deflate that is spliced as it is', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const count = fill(writer, 0, 200)
  writer.seal()
  writer.close()
  const files = listLogFiles(folder).map(({ path }) => path)
  const text = upTo(count).map(lineOf).join('')
  expect(execFileSync('zcat', files, { maxBuffer: 1e9 }).toString()).toBe(text)

  const parts = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])]
  let crc32 = 0
  let lengthBytes = 0
  for await (const piece of readLog(folder)) {
    if (!('segment' in piece)) {
      // All is sealed: it only tells where the log goes on.
      expect(piece.text.length).toBe(0)
      continue
    }
    const { segment } = piece
    const own = Buffer.from(text).subarray(lengthBytes, lengthBytes + segment.lengthBytes)
    expect(segment.sha256).toBe(createHash('sha256').update(own).digest('hex'))
    parts.push(Buffer.from(segment.bytes))
    crc32 = combineCrc32(crc32, segment.crc32, segment.lengthBytes)
    lengthBytes += segment.lengthBytes
  }
  expect(parts.length).toBeGreaterThan(3)
  const trailer = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0])
  trailer.writeUInt32LE(crc32, 2)
  trailer.writeUInt32LE(lengthBytes, 6)
  const spliced = Buffer.concat([...parts, trailer])
  expect(execFileSync('gzip', ['-dc'], { input: spliced, maxBuffer: 1e9 }).toString()).toBe(text)
})

test('a writer that is opened again goes on where the last one was, with the frames it remembered', async () => {
  const folder = await ownFolder()
  let count = 0
  for (let round = 0; round < 20; round++) {
    const writer = openWriter(folder)
    if (round > 0)
      expect(writer.memory.newest(3).filter((_, at) => at % 3 === 2)).toEqual(
        Uint32Array.of(count - 3, count - 2, count - 1),
      )
    count = fill(writer, count, 1 + ((round * 7) % 40))
    if (round % 3 === 0) writer.seal()
    writer.close()
  }
  expect(numbersIn(await textOf(folder))).toEqual(upTo(count))
})

test('wherever a write is cut off, what was durable before it is there, and the log goes on behind it', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const before = fill(writer, 0, 58)
  expect(listLogFiles(folder)).toHaveLength(0)
  const kept = `${folder}-before`
  await cp(folder, kept, { recursive: true })
  // One more, and the tail is long enough to become a segment: then there are the next tail and a file with the segment.
  fill(writer, before, 1)
  writer.close()
  expect(listLogFiles(folder)).toHaveLength(1)
  const [log] = listLogFiles(folder)
  const name = log!.path.slice(folder.length + 1)
  const whole = readFileSync(log!.path)
  const nextTail = readFileSync(`${folder}/tail-1`)
  const steps = 12
  const part = (bytes: Buffer, step: number) => bytes.subarray(0, Math.floor((bytes.length * step) / steps))
  const zeros = (bytes: Buffer, step: number) => Buffer.concat([part(bytes, step)], bytes.length)
  /** First the next tail is written, then the segment. Data may be missing, or, where the length came to the disk before them, be zeros. */
  const cuts = [part, zeros].flatMap((cut) => upTo(steps).map((step) => (bytes: Buffer) => cut(bytes, step)))
  const states = [
    ...cuts.map((cut) => ({ tail: cut(nextTail), log: undefined, lines: before })),
    ...cuts.map((cut) => ({ tail: nextTail, log: cut(whole), lines: before })),
    { tail: nextTail, log: whole, lines: before + PER_BATCH },
  ]
  for (const [index, { tail, log: segment, lines }] of states.entries()) {
    const broken = `${folder}-${index}`
    await cp(kept, broken, { recursive: true })
    writeFileSync(`${broken}/tail-1`, tail)
    if (segment) writeFileSync(`${broken}/${name}`, segment)
    const again = openWriter(broken)
    expect(again.lostItsPlace, `state ${index}`).toBe(false)
    expect(again.facts().lines, `state ${index}`).toBe(lines)
    fill(again, lines, 3)
    again.close()
    expect(numbersIn(await textOf(broken))).toEqual(upTo(lines + 3 * PER_BATCH))
  }
})

test('a record of the tail that was cut off is trimmed, and said', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  fill(writer, 0, 3)
  writer.close()
  const path = `${folder}/tail-0`
  truncateSync(path, statSync(path).size - 5)
  expect(numbersIn(await textOf(folder))).toEqual(upTo(2 * PER_BATCH))
  expect(await readLogFacts(folder)).toMatchObject({ lines: 2 * PER_BATCH })
  const again = openWriter(folder)
  expect(again.tornBytes).toBeGreaterThan(1000)
  fill(again, again.facts().lines, 2)
  again.close()
  expect(numbersIn(await textOf(folder))).toEqual(upTo(4 * PER_BATCH))
})

test('the oldest go when the room is used up, and where they were it says how many', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder, { maxBytes: 512 * 1024 })
  let count = 0
  while (writer.facts().dropped.cap === 0) count = fill(writer, count, 50)
  expect(writer.diskBytes).toBeLessThan(512 * 1024 + SEGMENT_TEXT_BYTES)
  const { cap } = writer.facts().dropped
  expect([writer.takeDropped(), writer.takeDropped()]).toEqual([cap, 0])
  writer.close()
  const text = await textOf(folder)
  expect(numbersIn(text)).toEqual(upTo(count).slice(cap))
  expect(text.split('\n')[0]).toBe(`… ${cap} lines dropped (cap) before ${lineOf(cap).slice(0, 30)} …`)
  expect(await readLogFacts(folder)).toMatchObject({ lines: count, dropped: { cap }, first: lineOf(cap).slice(0, 30) })
  const again = openWriter(folder)
  expect(again.facts()).toMatchObject({ lines: count, dropped: { cap } })
  again.close()
})

test('segments outside of a span are left out', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const count = fill(writer, 0, 400)
  writer.close()
  const since = lineOf(20_000).slice(0, 30)
  const until = lineOf(21_000).slice(0, 30)
  const numbers = numbersIn(await textOf(folder, { since, until }))
  expect(numbers).toEqual(expect.arrayContaining(upTo(21_000).slice(20_000)))
  expect(numbers.length).toBeLessThan(count / 2)
})

test('a text is masked with one set of rules, and with as many values as all of it', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  writer.append(batch(writer, 0, 10, { values: 5 }))
  writer.append(batch(writer, 10, 10, { values: 3 }))
  writer.append(batch(writer, 20, 10, { rules: 'r2', values: 4 }))
  writer.seal()
  writer.close()
  const segments = []
  for await (const piece of readLog(folder)) if ('segment' in piece) segments.push(piece.segment)
  expect(segments).toMatchObject([
    { number: 0, rules: 'r1', values: 3, lines: 20, before: { lines: 0 } },
    { number: 1, rules: 'r2', values: 4, lines: 10, before: { lines: 20 } },
  ])
})

test('a file that is damaged in its midst is not taken for room that was needed', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder, { maxBytes: 1024 * 1024 })
  const count = fill(writer, 0, 400)
  writer.close()
  const [, second, third] = listLogFiles(folder)
  expect(third).toBeDefined()
  const { segments } = scanLogFile(second!.path)
  const bytes = readFileSync(second!.path)
  bytes.fill(0, 0, 20)
  writeFileSync(second!.path, bytes)
  const lost = segments.reduce((all, { facts }) => all + facts.lines, 0)
  const text = await textOf(folder)
  expect(text).toContain(`… ${lost} lines cannot be read (the file is damaged) before `)
  expect(numbersIn(text)).toHaveLength(count - lost)
})

test('segments without a tail: the place is lost, what is kept is not', async () => {
  const folder = await ownFolder()
  const writer = openWriter(folder)
  const count = fill(writer, 0, 100)
  writer.seal()
  writer.close()
  for (const name of readdirSync(folder)) if (name.startsWith('tail')) rmSync(`${folder}/${name}`)
  const again = openWriter(folder)
  expect(again.lostItsPlace).toBe(true)
  expect(again.facts().lines).toBe(count)
  fill(again, count, 10)
  again.close()
  expect(numbersIn(await textOf(folder))).toEqual(upTo(count + 1000))
})
