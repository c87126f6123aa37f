/** What a bundle without a daemon tells of uploads: a real uploads.db, and nobody to ask. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { uploadsOf } from '../../../src/collect/recorded-uploads.ts'
import { beside } from '../../../src/record/beside.ts'
import { uploadsBeside } from '../../../src/upload/recorded/uploads-beside.ts'
import { sourceContext } from '../../helpers/source.ts'
import { stateFolder } from '../../record/events/kit.ts'
import { NOON_MS, outboxIn, putInto, wish } from '../outbox/kit.ts'

function newest(stateDir: string, isConfigured = true) {
  const daemon = beside(join(stateDir, 'nobody.sock'))
  return uploadsOf(uploadsBeside({ daemon, stateDir, isConfigured }), sourceContext()).newest()
}

test('the last hundred and what waits longer are told, of a database that another has open', async () => {
  const folder = await stateFolder()
  const outbox = outboxIn(folder)
  for (let id = 1; id <= 120; id++) {
    const { nextTryMs: _, ...row } = await putInto(outbox, wish('unit'))
    if (id === 3 || id === 120) continue
    await outbox.keep({ ...row, state: 'uploaded', tries: 1, multipartId: 'secret-id', finishedMs: NOON_MS })
  }
  const found = await newest(folder)
  const last = Array.from({ length: 100 }, (_, index) => 120 - index)
  expect(found.map(({ id }) => id)).toEqual([...last, 3])
  expect(found[1]).toEqual({
    id: 119,
    state: 'uploaded',
    trigger: 'unit',
    reason: 'because of unit',
    time: '2026-06-15T12:00:00.000Z',
    created: '2026-06-15T12:00:00.000Z',
    finished: '2026-06-15T12:00:00.000Z',
    tries: 1,
    parameters: {},
    bootId: expect.any(String) as string,
  })
  await outbox.close()
})

test('no database is told by its path, and as not configured where it is not', async () => {
  const folder = await stateFolder()
  await expect(newest(folder)).rejects.toMatchObject({
    outcome: 'skipped',
    quiet: true,
    message: `${join(folder, 'uploads.db')} does not exist`,
  })
  const message = 'nothing is uploaded: the configuration says uploads: none'
  await expect(newest(folder, false)).rejects.toMatchObject({ outcome: 'skipped', quiet: true, message })
})

test('a database that is none is said so', async () => {
  const folder = await stateFolder()
  writeFileSync(join(folder, 'uploads.db'), 'x'.repeat(4096))
  await expect(newest(folder)).rejects.toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(/uploads\.db cannot be asked: .*\(SQLITE_NOTADB\)$/) as string,
  })
})
