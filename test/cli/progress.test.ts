import { expect, test } from 'vitest'
import { createBoard } from '../../src/cli/progress.ts'
import type { ManifestRow, ProgressEvent } from '../../src/collect/types.ts'

function board(ids: readonly string[]) {
  let timeMs = 0
  const made = createBoard('b.tar.gz', 0, () => timeMs)
  made.onProgress({ type: 'plan', collectors: ids.map((id) => ({ id, tier: 'facts' })) })
  return {
    tell: (atMs: number, event: ProgressEvent) => {
      timeMs = atMs
      made.onProgress(event)
    },
    draw: (atMs: number, size = { columns: 80, rows: 24 }) => made.draw(size, atMs).split('\n'),
  }
}

const entry = (collector: string, outcome: ManifestRow['outcome']): ProgressEvent => ({
  type: 'entry',
  row: { path: 'x', collector, tier: 'facts', outcome, sizeBytes: 0, maskedCount: 0, durationMs: 0 },
})

test('shows the state, bytes and time of each collector, and the sum of them', () => {
  const { tell, draw } = board(['boot', 'kernel', 'firewall', 'docker'])
  tell(0, { type: 'collector', id: 'boot', state: 'running' })
  tell(100, { type: 'collector', id: 'kernel', state: 'running' })
  tell(200, { type: 'bytes', collector: 'boot', bytes: 1024 })
  tell(300, { type: 'bytes', collector: 'boot', bytes: 1024 })
  tell(400, entry('boot', 'failed'))
  tell(400, entry('boot', 'skipped'))
  tell(500, { type: 'collector', id: 'boot', state: 'done' })
  tell(500, { type: 'collector', id: 'firewall', state: 'skipped', detail: 'no root rights' })
  expect(draw(1100)).toEqual([
    'Collecting into b.tar.gz',
    '  boot      done        2.0 KiB     0.5 s   1 not ok',
    '  kernel    running         0 B     1.0 s',
    '  firewall  skipped   no root rights',
    '  docker    waiting',
    '2 of 4 collectors, 2.0 KiB read, 0 B/s, 1.1 s',
  ])
})

test('a collector runs until its entries are done, and the one it waits for longest is named', () => {
  const { tell, draw } = board(['kernel'])
  const work = { type: 'work', collector: 'kernel' } as const
  tell(0, { type: 'collector', id: 'kernel', state: 'running' })
  tell(0, { ...work, path: 'dmesg.log', state: 'running' })
  tell(100, { ...work, path: 'taint.txt', state: 'running' })
  tell(200, { type: 'collector', id: 'kernel', state: 'done' })
  tell(300, { ...work, path: 'taint.txt', state: 'done' })
  expect(draw(5000)[1]).toBe('  kernel  running         0 B     5.0 s   dmesg.log')
  expect(draw(5000).at(-1)).toContain('0 of 1 collectors')
  tell(6000, { ...work, path: 'dmesg.log', state: 'done' })
  expect(draw(9000)[1]).toBe('  kernel  done            0 B     6.0 s')
  expect(draw(9000).at(-1)).toContain('1 of 1 collectors')
})

test('the rate is that of the last three seconds', () => {
  const { tell, draw } = board(['boot'])
  expect(draw(0).at(-1)).toContain('0 B/s')
  tell(0, { type: 'bytes', collector: 'boot', bytes: 10 * 1024 })
  expect(draw(1000).at(-1)).toContain('10.0 KiB/s')
  expect(draw(2000).at(-1)).toContain('5.0 KiB/s')
  expect(draw(4500).at(-1)).toContain('0 B/s')
})

test('fits the terminal: those that run come first, the others are counted', () => {
  const ids = Array.from({ length: 20 }, (_, index) => `collector-${index}`)
  const { tell, draw } = board(ids)
  tell(0, { type: 'collector', id: 'collector-3', state: 'done' })
  tell(0, { type: 'collector', id: 'collector-15', state: 'running' })
  const lines = draw(0, { columns: 30, rows: 8 })
  expect(lines).toHaveLength(7)
  expect(lines[1]).toContain('collector-15')
  expect(lines.at(-2)).toBe('  and 16 more')
  for (const line of lines) expect(line.length).toBeLessThan(30)
})

test('a terminal of no height to speak of still gets the sum', () => {
  expect(board(['a', 'b', 'c']).draw(0, { columns: 80, rows: 2 }).at(-1)).toContain('0 of 3 collectors')
})

test('names cannot play with the terminal', () => {
  const { tell, draw } = board(['a'])
  tell(0, { type: 'collector', id: 'a', state: 'skipped', detail: '\u001b[2J' })
  expect(draw(0).join('\n')).not.toContain('\u001b')
})
