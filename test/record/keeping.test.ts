import { expect, test } from 'vitest'
import type { ContainerTail } from '../../src/record/containers/container.ts'
import { createKeeping } from '../../src/record/keeping.ts'

const HEALTH = {
  engines: [{ socket: '/run/docker.sock', state: 'following' as const, sinceMs: 0, containers: 2 }],
  lines: 3,
  dropped: { flood: 0, withheld: 0, cap: 0 },
  ambiguous: 0,
  droppedEvents: 0,
  keptBytes: 5,
  problems: [],
}

type Tail = Omit<ContainerTail, 'heard'>

const tailWith = (more: Partial<Tail> = {}): Tail => ({
  flush: async () => {},
  health: () => HEALTH,
  close: async () => {},
  ...more,
})

test('it opens when it is started, and tells of its engines', async () => {
  let opened = 0
  const keeping = createKeeping(async () => {
    opened += 1
    return tailWith()
  })
  expect([keeping.health(), opened]).toEqual([{ state: 'starting', problems: [] }, 0])
  await keeping.flush()
  keeping.start()
  keeping.start()
  await keeping.close()
  expect(opened).toBe(1)
  const { sinceMs: _, ...engine } = HEALTH.engines[0]!
  expect(keeping.health()).toEqual({
    ...HEALTH,
    state: 'following',
    engines: [{ ...engine, since: '1970-01-01T00:00:00.000Z' }],
  })
})

test('where it cannot be opened it is off, and says why', async () => {
  const keeping = createKeeping(() => Promise.reject(new Error('no thread')))
  keeping.start()
  await keeping.close()
  await keeping.flush()
  expect(keeping.health()).toEqual({ state: 'off', problems: ['Containers are not followed: no thread'] })
})

test('a disk that does not answer holds neither who reads nor the end; one that refuses does not break them', async () => {
  const never = () => new Promise<void>(() => {})
  const hung = createKeeping(async () => tailWith({ flush: never, close: never }))
  hung.start()
  await Promise.all([hung.flush(), hung.close()])
  await hung.flush()
  const full = createKeeping(async () => tailWith({ flush: () => Promise.reject(new Error('ENOSPC')) }))
  full.start()
  await full.close()
  await full.flush()
})

test('one that was never started is closed at once', async () => {
  await createKeeping(() => Promise.reject(new Error('nobody asked'))).close()
})
