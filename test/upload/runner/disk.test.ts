/** A full disk under the outbox: nothing is begun, nothing is forgotten, and it is said. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { stateFolder, until } from '../../record/events/kit.ts'
import { wish } from '../outbox/kit.ts'
import { benchIn, testTarget, type Bench } from './kit.ts'

/** Whether this process may mount. */
const canMount = process.geteuid?.() === 0

async function smallDisk(): Promise<string> {
  const folder = await stateFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  return folder
}

function fill(path: string): void {
  const fd = openSync(path, 'w')
  try {
    for (const bytes of [65_536, 4096, 1]) while (isWritten(fd, bytes));
  } finally {
    closeSync(fd)
  }
}

function isWritten(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(bytes, 1)) === bytes
  } catch {
    return false
  }
}

async function untilRefused({ uploads }: Bench): Promise<unknown> {
  for (;;) {
    try {
      await uploads.request(wish('request', { parameters: { only: 'x'.repeat(3000) } }))
    } catch (error) {
      return error
    }
  }
}

describe.runIf(canMount)('a disk that is full', () => {
  test('refuses what is asked for with the reason; what arrived meanwhile is written down when there is room, and not sent again', async () => {
    const folder = await smallDisk()
    const target = testTarget()
    const gate = Promise.withResolvers<void>()
    target.gate = gate.promise
    const bench = benchIn({ folder, target })
    await bench.uploads.request(wish('request'))
    await until(() => target.writing === 1)
    fill(join(folder, 'filler'))
    expect(await untilRefused(bench)).toMatchObject({ code: 'paused', message: 'the disk is full (SQLITE_FULL)' })
    gate.resolve()
    await until(() => target.arrived.length === 1)
    expect(bench.uploads.health()).toMatchObject({
      state: 'ready',
      running: true,
      problems: [/^Uploads are not recorded since .*: the disk is full/, 'nothing is uploaded meanwhile'],
    })
    expect(await bench.uploads.get(1)).toMatchObject({ state: 'running' })
    rmSync(join(folder, 'filler'))
    await until(async () => (await bench.uploads.get(1))!.state === 'uploaded')
    expect(target.arrived.filter(({ key }) => key === target.jobs[0]!.key)).toHaveLength(1)
    expect(bench.uploads.health().problems.join()).not.toContain('the disk is full')
  })
})
