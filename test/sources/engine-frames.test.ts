import { array, assert, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EngineLogDecoder } from '../../src/sources/engine-frames.ts'

const at = '2026-11-21T09:34:09.123456789Z'
const later = '2026-11-21T09:34:10.000000001Z'
const streams = { stdin: 0, stdout: 1, stderr: 2, trouble: 3 }

function frame(stream: keyof typeof streams, message: string | Buffer): Buffer {
  const body = Buffer.from(message)
  const header = Buffer.alloc(8)
  header[0] = streams[stream]
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

function decoded(...chunks: readonly (Buffer | string)[]) {
  const decoder = new EngineLogDecoder('the log')
  const pushed = chunks.map((chunk) => decoder.push(Buffer.from(chunk)))
  const { lines, torn } = decoder.end()
  const bytes = Buffer.concat([...pushed, lines])
  return { bytes, text: bytes.toString(), torn, trouble: decoder.trouble }
}

describe('frames', () => {
  test('become one line each, with time and stream', () => {
    const { text, torn } = decoded(frame('stdout', `${at} out\n`), frame('stderr', `${later} err\n`))
    expect(text).toBe(`${at} stdout F out\n${later} stderr F err\n`)
    expect(torn).toBe(false)
  })

  test('may be cut anywhere', () => {
    const long = 'x'.repeat(16_384)
    const log = Buffer.concat([
      frame('stdout', `${at} first\n`),
      frame('stdout', `${at} ${long}`),
      frame('stdout', `${at} end of the long line\n`),
      frame('stderr', `${later} \n`),
      frame('stdout', Buffer.concat([Buffer.from(`${later} `), Buffer.from([0, 1, 2, 0xff, 10])])),
    ])
    const whole = decoded(log).bytes
    assert(
      property(array(integer({ min: 0, max: log.length }), { maxLength: 20 }), (cuts) => {
        const borders = [0, ...cuts.toSorted((a, b) => a - b), log.length]
        const chunks = borders.slice(1).map((border, i) => log.subarray(borders[i], border))
        return decoded(...chunks).bytes.equals(whole)
      }),
    )
  })

  test('of a line over 16 kB become a line each: P for the parts, F for the last', () => {
    const part = 'x'.repeat(16_384)
    const { text } = decoded(frame('stdout', `${at} ${part}`), frame('stdout', `${at} rest\n`))
    expect(text).toBe(`${at} stdout P ${part}\n${at} stdout F rest\n`)
  })

  test('whose last line was never finished end with P', () => {
    expect(decoded(frame('stdout', `${at} prompt> `)).text).toBe(`${at} stdout P prompt> \n`)
  })

  test('keep bytes that are no UTF-8, and carriage returns', () => {
    const odd = Buffer.from([0xff, 0xfe, 0x00, 0x0d])
    const { bytes } = decoded(frame('stdout', Buffer.concat([Buffer.from(`${at} `), odd, Buffer.from('\n')])))
    expect(bytes).toEqual(Buffer.concat([Buffer.from(`${at} stdout F `), odd, Buffer.from('\n')]))
  })

  test('without a time take that of the line before; the first ones get a dash', () => {
    const { text } = decoded(frame('stdout', 'early\n'), frame('stdout', `${at} a\n`), frame('stderr', 'b\n'))
    expect(text).toBe(`- stdout F early\n${at} stdout F a\n${at} stderr F b\n`)
  })

  test('keep a time that the program printed itself', () => {
    expect(decoded(frame('stdout', `${at} ${later} mine\n`)).text).toBe(`${at} stdout F ${later} mine\n`)
  })

  test('with a local time or fewer digits are given in UTC with nanoseconds', () => {
    const { text } = decoded(
      frame('stdout', '2026-11-21T01:30:00.5+02:00 a\n'),
      frame('stdout', '2026-11-21T01:30:00Z b\n'),
    )
    expect(text).toBe('2026-11-20T23:30:00.500000000Z stdout F a\n2026-11-21T01:30:00.000000000Z stdout F b\n')
  })

  test('of the engine itself are its trouble, not lines of the container', () => {
    const { text, trouble } = decoded(
      frame('stdout', `${at} a\n`),
      frame('trouble', 'Error grabbing logs: unexpected EOF\n'),
      frame('stdout', `${at} b\n`),
    )
    expect(text).toBe(`${at} stdout F a\n${at} stdout F b\n`)
    expect(trouble).toBe('Error grabbing logs: unexpected EOF')
  })

  test('that break off give what came of the last one, and are torn', () => {
    const log = Buffer.concat([frame('stdout', `${at} a\n`), frame('stderr', `${later} never finished\n`)])
    expect(decoded(log.subarray(0, -10))).toMatchObject({
      text: `${at} stdout F a\n${later} stderr P never\n`,
      torn: true,
    })
    expect(decoded(log.subarray(0, 60))).toMatchObject({ text: `${at} stdout F a\n`, torn: true })
  })

  test('of any announced length are passed on in parts, not held', () => {
    const huge = frame('stdout', `${at} `)
    huge.writeUInt32BE(0xffff_ffff, 4)
    const decoder = new EngineLogDecoder('the log')
    decoder.push(huge)
    const passed = Array.from({ length: 100 }, () => decoder.push(Buffer.alloc(10_000, 'x')).length)
    const held = 1_000_000 - passed.reduce((sum, bytes) => sum + bytes, 0)
    expect(held).toBeLessThan(64 * 1024)
  })

  test('that turn into something else fail with the name of the log', () => {
    expect(() => decoded(frame('stdout', `${at} a\n`), '<html>no such page</html>')).toThrow(
      'the log: not a log stream of the Engine API',
    )
  })
})

describe('the raw stream of a terminal', () => {
  test('becomes lines of stdout', () => {
    expect(decoded(`${at} out\r\n${later} err\r\n`).text).toBe(`${at} stdout F out\r\n${later} stdout F err\r\n`)
  })

  test('may be cut anywhere', () => {
    const log = Buffer.from(`${at} a\n${at} ${'x'.repeat(16_384)}${at} rest\n${later} é\n`)
    const whole = decoded(log).bytes
    for (let cut = 0; cut < log.length; cut += 7) {
      expect(decoded(log.subarray(0, cut), log.subarray(cut)).bytes.equals(whole)).toBe(true)
    }
  })

  test('has the time of a long line between its parts, which is taken out again', () => {
    const part = 'x'.repeat(16_384)
    expect(decoded(`${at} ${part}${at} rest\n`).text).toBe(`${at} stdout P ${part}\n${at} stdout F rest\n`)
  })

  test('may be shorter than a header', () => {
    expect(decoded('a\n').text).toBe('- stdout F a\n')
    expect(decoded().text).toBe('')
  })

  test('of one line without end is passed on in parts, not held', () => {
    const decoder = new EngineLogDecoder('the log')
    const passed = Array.from({ length: 100 }, () => decoder.push(Buffer.alloc(10_000, 'x')).length)
    expect(1_000_000 - passed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(64 * 1024)
  })
})
