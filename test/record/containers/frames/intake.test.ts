import { expect, test } from 'vitest'
import { FLOOD_LIMITS } from '../../../../src/record/containers/frames/flood.ts'
import { Intake } from '../../../../src/record/containers/frames/intake.ts'
import { FrameMemory } from '../../../../src/record/containers/frames/memory.ts'
import { stampOf } from '../../../../src/record/containers/frames/moments.ts'
import { NOON } from '../kit.ts'

const at = (ms: number) => stampOf(NOON + Math.floor(ms / 1000), (ms % 1000) * 1e6)

/** As the engine sends it: a header, the time, the text. */
function frame(time: string, text: string | Buffer, stream: 1 | 2 | 3 = 1): Buffer {
  const body = Buffer.concat([Buffer.from(`${time} `), Buffer.from(text)])
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

function intakeOf(memory = new FrameMemory(), limits = FLOOD_LIMITS): Intake {
  const intake = new Intake(memory, limits)
  intake.begin()
  return intake
}

const textOf = (intake: Intake) => intake.take().text.toString()

const lines = [
  frame(at(0), 'to stdout\n'),
  frame(at(1), 'to stderr\n', 2),
  frame(at(2), Buffer.from([0x00, 0xff, 0xfe, 0x1b, 0x0d, 0x0a])),
  frame(at(3), '\n'),
  frame('2026-06-15T14:00:00.5+02:00', 'elsewhere\n'),
  frame('2026-06-15T12:00:01Z', 'whole seconds\n'),
]
const asText = [
  `${at(0)} stdout F to stdout\n`,
  `${at(1)} stderr F to stderr\n`,
  `${at(2)} stdout F \x00\xff\xfe\x1b\r\n`,
  `${at(3)} stdout F \n`,
  `${at(500)} stdout F elsewhere\n`,
  `${at(1000)} stdout F whole seconds\n`,
].join('')

test('frames become CRI text, byte by byte, wherever the chunks end', () => {
  const all = Buffer.concat(lines)
  for (const size of [all.length, 1, 2, 3, 7, 31, 64]) {
    const intake = intakeOf()
    for (let from = 0; from < all.length; from += size) intake.push(all.subarray(from, from + size))
    const { text, ...batch } = intake.take()
    expect(text.toString('latin1')).toBe(asText)
    expect(batch).toMatchObject({ lines: 6, first: at(0), last: at(1000), flood: 0, ambiguous: 0 })
    expect(batch.frames).toHaveLength(18)
  }
})

test('a terminal has no frames', () => {
  const all = Buffer.from(`${at(0)} $ ls\r\n${at(1)} ${'x'.repeat(16_384)}${at(1)} yz\r\n${at(2)} $ `)
  for (const size of [all.length, 1, 5, 1000]) {
    const intake = intakeOf()
    for (let from = 0; from < all.length; from += size) intake.push(all.subarray(from, from + size))
    intake.end(true)
    expect(textOf(intake)).toBe(
      `${at(0)} stdout F $ ls\r\n${at(1)} stdout F ${'x'.repeat(16_384)}yz\r\n${at(2)} stdout P $ \n`,
    )
  }
})

test('the parts of a long line are joined, of stdout and stderr at once', () => {
  const intake = intakeOf()
  const part = (letter: string) => letter.repeat(16_384)
  intake.push(frame(at(0), part('a')))
  intake.push(frame(at(1), part('e'), 2))
  intake.push(frame(at(0), part('b')))
  intake.push(frame(at(1), 'the end\n', 2))
  intake.push(frame(at(0), 'c\n'))
  expect(textOf(intake)).toBe(`${at(1)} stderr F ${part('e')}the end\n${at(0)} stdout F ${part('a')}${part('b')}c\n`)
})

test('a long line whose end is not said ends where the next one begins', () => {
  const intake = intakeOf()
  intake.push(Buffer.concat([frame(at(0), 'a'.repeat(16_384)), frame(at(0), 'the last part'), frame(at(1), 'next\n')]))
  expect(textOf(intake)).toBe(`${at(0)} stdout F ${'a'.repeat(16_384)}the last part\n${at(1)} stdout F next\n`)
})

test('a line without end is joined up to a limit, and goes on in the next', () => {
  const intake = intakeOf()
  for (let index = 0; index < 40; index++) intake.push(frame(at(0), 'a'.repeat(16_384)))
  intake.push(frame(at(0), 'end\n'))
  const found = textOf(intake).split('\n').slice(0, -1)
  expect(found.map((line) => line.slice(31, 40))).toEqual(['stdout P ', 'stdout P ', 'stdout F '])
  expect(found.map((line) => line.slice(40)).join('')).toBe(`${'a'.repeat(40 * 16_384)}end`)
  expect(Math.max(...found.map(({ length }) => length))).toBeLessThan(300_000)
})

test('a part whose line did not end yet is not stored: it comes again', () => {
  const memory = new FrameMemory()
  const first = intakeOf(memory)
  first.push(Buffer.concat([frame(at(0), 'before\n'), frame(at(1), 'half '), frame(at(2), 'other\n', 2)]))
  expect(textOf(first)).toBe(`${at(0)} stdout F before\n${at(2)} stderr F other\n`)
  first.end(false)
  first.begin()
  first.push(
    Buffer.concat([
      frame(at(0), 'before\n'),
      frame(at(1), 'half '),
      frame(at(2), 'other\n', 2),
      frame(at(1), 'and half\n'),
    ]),
  )
  expect(textOf(first)).toBe(`${at(1)} stdout F half and half\n`)
})

test('what was never ended is told when the container has ended', () => {
  const intake = intakeOf()
  intake.push(frame(at(0), 'no newline'))
  intake.end(true)
  expect(textOf(intake)).toBe(`${at(0)} stdout P no newline\n`)
})

test('what was broken off is told when it turns out that the container is gone, and comes anew when it is not', () => {
  const whole = frame(at(0), 'a line\n')
  const open = frame(at(1), 'its last words')
  const gone = intakeOf()
  gone.push(Buffer.concat([whole, open]))
  gone.end(false)
  expect(gone.holds).toBe(false)
  gone.end(true)
  expect(textOf(gone)).toBe(`${at(0)} stdout F a line\n${at(1)} stdout P its last words\n`)
  const there = intakeOf()
  there.push(Buffer.concat([whole, open]))
  there.end(false)
  there.begin()
  there.push(Buffer.concat([whole, frame(at(1), 'its last words, and more\n')]))
  expect(textOf(there)).toBe(`${at(0)} stdout F a line\n${at(1)} stdout F its last words, and more\n`)
})

test('after a resumption each frame is taken as often as it is new', () => {
  const memory = new FrameMemory()
  const intake = intakeOf(memory)
  const twice = frame(at(10), 'same time, same words\n')
  intake.push(Buffer.concat([frame(at(9), 'a\n'), twice, twice, frame(at(12), 'b\n')]))
  intake.take()
  expect(memory.since(false)).toBe(`${NOON - 2}.012000000`)
  intake.begin()
  // One of stderr that is older than the last of stdout had not come yet.
  const late = frame(at(11), 'late\n', 2)
  intake.push(
    Buffer.concat([frame(at(9), 'a\n'), twice, twice, late, twice, frame(at(12), 'b\n'), frame(at(13), 'c\n')]),
  )
  const batch = intake.take()
  expect(batch.text.toString()).toBe(
    `${at(11)} stderr F late\n${at(10)} stdout F same time, same words\n${at(13)} stdout F c\n`,
  )
  expect(batch.ambiguous).toBe(0)
})

test('with whole seconds, lines that say the same are told apart by their number, and counted', () => {
  const memory = new FrameMemory()
  const intake = intakeOf(memory)
  const line = frame('2026-06-15T12:00:05Z', 'tick\n')
  intake.push(Buffer.concat([line, line, line]))
  intake.take()
  expect(memory.since(true)).toBe(String(NOON + 3))
  intake.begin()
  intake.push(Buffer.concat([line, line, line, line, line]))
  expect(intake.take()).toMatchObject({ lines: 2, ambiguous: 3 })
})

test('of a clock that was set back, what was written before comes again and is known', () => {
  const memory = new FrameMemory()
  const intake = intakeOf(memory)
  const ahead = [1, 2, 3].map((second) => frame(at(3_600_000 + second * 1000), `ahead ${second}\n`))
  const back = [1, 2, 3].map((second) => frame(at(second * 1000), `back ${second}\n`))
  intake.push(Buffer.concat([...ahead, ...back]))
  intake.take()
  const stored = new FrameMemory()
  stored.load(memory.all())
  stored.highestSeconds = memory.highestSeconds
  expect(stored.since(false)).toBe(`${NOON + 1}.000000000`)
  const again = intakeOf(stored)
  again.push(Buffer.concat([...ahead, ...back, frame(at(4000), 'new\n'), frame(at(3_600_000), 'caught up\n')]))
  expect(textOf(again)).toBe(`${at(4000)} stdout F new\n${at(3_600_000)} stdout F caught up\n`)
})

test.each(['as it was', 'from the disk'])(
  'of a flood the memory holds the newest, and asks for no more than that: %s',
  (which) => {
    const seen = new FrameMemory()
    const flooded = intakeOf(seen)
    const count = 100_000
    const flood = Array.from({ length: count }, (_, index) => frame(stampOf(NOON, index * 5000), `line ${index}\n`))
    for (let from = 0; from < count; from += 1000) flooded.push(Buffer.concat(flood.slice(from, from + 1000)))
    flooded.take()
    expect(seen.frames).toBeLessThanOrEqual(32 * 1024)
    const stored = new FrameMemory()
    stored.load(seen.all())
    stored.highestSeconds = seen.highestSeconds
    const memory = which === 'as it was' ? seen : stored
    const [seconds, nanos] = memory.since(false)!.split('.').map(Number)
    expect(seconds).toBe(NOON)
    const from = flood.findIndex((_, index) => index * 5000 >= nanos!)
    expect(count - from).toBeGreaterThan(10_000)
    const intake = new Intake(memory, FLOOD_LIMITS)
    intake.begin()
    intake.push(Buffer.concat([...flood.slice(from), frame(stampOf(NOON, count * 5000), 'new\n')]))
    expect(intake.take()).toMatchObject({ lines: 1, flood: 0 })
  },
)

test('what comes faster than anybody reads is left out, counted, and marked where it is missing', () => {
  const limits = { bytesPerSecond: 1000, burstBytes: 16_000 }
  const intake = intakeOf(new FrameMemory(), limits)
  for (let index = 0; index < 1000; index++) intake.push(frame(at(index), `line ${index} ${'x'.repeat(50)}\n`))
  // It was silent for long: what comes then is no flood.
  for (let index = 0; index < 100; index++) intake.push(frame(at(600_000 + index), `late ${index} ${'x'.repeat(50)}\n`))
  const { text, lines: kept, flood } = intake.take()
  expect(kept + flood).toBe(1100)
  const words = text.toString().split('\n')
  const marker = words.findIndex((line) => line.startsWith('…'))
  expect(words[marker]).toMatch(
    /^… \d+ lines dropped \(flood\) from 2026-06-15T12:00:00\.\d{9}Z to 2026-06-15T12:00:00\.999000000Z …$/,
  )
  expect(Number(words[marker]!.split(' ')[1])).toBe(flood)
  expect(words[marker - 1]).toContain(` line ${marker - 1} `)
  expect(words[marker + 1]).toContain(' late 0 ')
  expect(kept).toBe(marker + 100)
})

test('a backlog is no flood, however fast it is read', () => {
  const limits = { bytesPerSecond: 1000, burstBytes: 2000 }
  const intake = intakeOf(new FrameMemory(), limits)
  for (let second = 0; second < 1000; second++) intake.push(frame(at(second * 1000), `${'x'.repeat(500)}\n`))
  expect(intake.take()).toMatchObject({ lines: 1000, flood: 0 })
})

test('trouble that the engine tells in the midst of a log is no line of it', () => {
  const intake = intakeOf()
  intake.push(frame(at(0), 'a line\n'))
  intake.push(frame(at(1), 'Error grabbing logs: unexpected EOF', 3))
  expect(textOf(intake)).toBe(`${at(0)} stdout F a line\n`)
  expect(intake.trouble).toContain('Error grabbing logs: unexpected EOF')
})

test('what is no log stream is refused', () => {
  const intake = intakeOf()
  intake.push(frame(at(0), 'a line\n'))
  expect(() => intake.push(Buffer.from('HTTP/1.1 200 OK\r\n'))).toThrow('not a log stream')
})
