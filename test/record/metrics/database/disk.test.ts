/** A disk that is full: samples wait for nobody and are counted, and the database is whole. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStoreThread } from '../../../../src/record/store-thread.ts'
import { machine } from '../../../helpers/samples.ts'
import { ask, stateFolder, storeIn as eventsIn, until } from '../../events/kit.ts'
import { storeIn } from './kit.ts'

test.runIf(process.geteuid?.() === 0)(
  'a disk that is full pauses both databases, and both go on with a word about it',
  async () => {
    const folder = await stateFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder])
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
    const thread = openStoreThread()
    const events = eventsIn(folder, { thread })
    const metrics = storeIn(folder, { thread, tell: events.tell })
    const many = machine({ containers: 50 })
    const filler = join(folder, 'filler')
    await metrics.append(many.next())
    writeFileSync(filler, Buffer.alloc(3 * 1024 * 1024, 1))
    const taken = await untilRefused(async () => void (await metrics.append(many.next())))
    expect(taken.error).toMatchObject({ code: 'paused', message: 'the disk is full (SQLITE_FULL)' })
    expect(metrics.health()).toMatchObject({ state: 'paused', refused: 1 })
    // What is there can be asked for.
    expect(await metrics.latest()).toMatchObject({ id: taken.count + 1 })
    rmSync(filler)
    await until(() => metrics.health().state === 'recording')
    await metrics.append(many.next())
    expect(ask(metrics.path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(ask(metrics.path, 'SELECT kind FROM gaps')).toEqual([{ kind: 'paused' }])
    const sql = `SELECT subject, message FROM events WHERE type = 'diagd.recorder.resumed' AND subject = 'metrics.db'`
    await until(() => ask(events.path, sql).length > 0)
    expect(ask(events.path, sql)[0]).toMatchObject({
      message: expect.stringMatching(
        /^Metrics were not recorded from .*: the disk is full.* Samples refused meanwhile: 1$/,
      ),
    })
  },
)

async function untilRefused(append: () => Promise<void>): Promise<{ count: number; error: unknown }> {
  for (let count = 0; ; count++) {
    try {
      await append()
    } catch (error) {
      return { count, error }
    }
  }
}
