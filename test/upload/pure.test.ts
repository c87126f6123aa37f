import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createBuffers } from '../../src/upload/send/buffers.ts'
import { createPace } from '../../src/upload/send/pace.ts'
import { fillKey, metadataOf, ownBundles } from '../../src/upload/target/key.ts'
import { createPartSizes } from '../../src/upload/target/part-sizes.ts'
import { createSums } from '../../src/upload/target/sums.ts'
import { bytesOf, MIB } from '../helpers/upload.ts'

const TIME = Date.UTC(2026, 10, 21, 23, 30)

describe('a key', () => {
  test('is filled with node, day in UTC, and name', () => {
    const facts = { node: 'web-1', name: 'debug-web-1.tar.gz', timeMs: TIME }
    expect(fillKey('a/{node}/{date}/{name}', facts)).toBe('a/web-1/2026-11-21/debug-web-1.tar.gz')
  })

  test('stays where it belongs, whatever a node is called', () => {
    const of = (node: string) => fillKey('{node}/{name}', { node, name: 'x', timeMs: TIME })
    expect(of('../other')).toBe('.._other/x')
    expect(of('..')).toBe('__/x')
    expect(of('a/b ü{name}')).toBe('a_b___name_/x')
  })

  test('that is too long is refused', () => {
    const facts = { node: 'n'.repeat(1030), name: 'x', timeMs: TIME }
    expect(() => fillKey('{node}/{name}', facts)).toThrow('1032 bytes; object stores take 1024')
  })

  test('metadata is ASCII of one line, and not more than S3 keeps', () => {
    expect(metadataOf({ Node: 'wüb\r\n1', boot_id: ' b ', none: undefined })).toEqual({ node: 'w?b?1', 'boot-id': 'b' })
    expect(metadataOf({ a: 'x'.repeat(2000), b: 'y'.repeat(100) })).toEqual({ a: 'x'.repeat(2000) })
  })

  test('a bundle of this node is known by its name, and nothing else is one', () => {
    const own = ownBundles('p.q/{node}/{date}/{name}', 'web-1')
    expect(own.prefix).toBe('p.q/web-1/')
    const name = 'debug-web-1-20261121T233000Z-0a1b2c.tar.gz'
    expect(own.timeOf(`p.q/web-1/2026-11-21/${name}`)).toBe('20261121T233000Z')
    expect(own.timeOf(`p.q/web-1/2026-11-21/${name}.age`)).toBe('20261121T233000Z')
    for (const other of [
      `pxq/web-1/2026-11-21/${name}`,
      `p.q/web-1/2026-11-21/more/${name}`,
      `p.q/web-1/2026-11-21/debug-web-10-20261121T233000Z-0a1b2c.tar.gz`,
      'p.q/web-1/2026-11-21/notes.txt',
      `p.q/web-1/2026-11-21/${name}.bak`,
    ])
      expect(own.timeOf(other)).toBeUndefined()
  })
})

describe('parts', () => {
  /** What 10 000 of them hold. */
  const heldBy = (mostBytes: number | undefined, equal: boolean) => {
    const sizes = createPartSizes(mostBytes, equal)
    const all = Array.from({ length: 10_000 }, (_, at) => sizes.bytesOf(at + 1)!)
    return { first: all[0], last: all.at(-1), total: all.reduce((sum, bytes) => sum + bytes, 0), sizes }
  }

  test('are of 8 MiB, and as large as it takes where it is known', () => {
    expect(heldBy(2 ** 30, false)).toMatchObject({ first: 8 * MIB, last: 8 * MIB })
    const large = heldBy(200 * 2 ** 30, false)
    expect(large).toMatchObject({ first: 21 * MIB, last: 21 * MIB })
    expect(large.total).toBeGreaterThanOrEqual(200 * 2 ** 30)
  })

  test('grow ahead of time where nobody knows, but for who wants them equal', () => {
    const grown = heldBy(undefined, false)
    expect(grown).toMatchObject({ first: 8 * MIB, last: 64 * MIB })
    expect(grown.total).toBe(359.375 * 2 ** 30)
    expect(heldBy(undefined, true)).toMatchObject({ first: 32 * MIB, last: 32 * MIB })
  })

  test('there are no more than 10 000', () => {
    expect(heldBy(undefined, false).sizes.bytesOf(10_001)).toBeUndefined()
  })

  test('their memory is bounded, and used again', async () => {
    const buffers = createBuffers(new AbortController().signal)
    const four = await Promise.all([1, 2, 3, 4].map(() => buffers.take(8 * MIB)))
    const order: string[] = []
    const fifth = buffers.take(8 * MIB).then((buffer) => {
      order.push('taken')
      return buffer
    })
    await new Promise(setImmediate)
    order.push('given back')
    buffers.giveBack(four[0]!)
    expect(await fifth).toBe(four[0])
    expect(order).toEqual(['given back', 'taken'])
  })

  test('one that is larger than all the memory there is for them goes alone', async () => {
    const over = new AbortController()
    const buffers = createBuffers(over.signal)
    await buffers.take(64 * MIB)
    const next = buffers.take(64 * MIB)
    over.abort(new Error('over'))
    await expect(next).rejects.toThrow('over')
  })
})

describe('a cap of the bandwidth', () => {
  test('lets a quarter of a second go at once, and then as much as the time that has passed', () => {
    const pace = createPace(1000)
    expect(pace.delayMs(250, 0)).toBe(0)
    expect(pace.delayMs(100, 0)).toBe(100)
    expect(pace.delayMs(100, 0)).toBe(200)
    expect(pace.delayMs(100, 200)).toBe(100)
  })

  test('a rest saves up no more than that', () => {
    const pace = createPace(1000)
    pace.delayMs(1000, 0)
    expect(pace.delayMs(250, 1_000_000)).toBe(0)
    expect(pace.delayMs(1, 1_000_000)).toBe(1)
  })

  test('without one nobody waits', () => {
    expect(createPace(undefined).delayMs(1e12, 0)).toBe(0)
  })

  test('no more goes at once than in a quarter of a second', () => {
    expect(createPace(16 * 1024).sliceBytes).toBe(4 * 1024)
    expect(createPace(undefined).sliceBytes).toBe(256 * 1024)
  })
})

test('the CRC-32 of the whole follows from its parts, in whichever order they are sent', () => {
  const bytes = bytesOf(100_000)
  const base64 = (crc: number) => Buffer.from(crc.toString(16).padStart(8, '0'), 'hex').toString('base64')
  const sums = createSums()
  expect(sums.whole()).toBe('AAAAAA==')
  sums.add(3, bytes.subarray(99_990))
  sums.add(1, bytes.subarray(0, 40_000))
  expect(sums.add(2, bytes.subarray(40_000, 99_990))).toBe(base64(crc32(bytes.subarray(40_000, 99_990))))
  expect(sums.whole()).toBe(base64(crc32(bytes)))
})
