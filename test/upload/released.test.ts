import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleApp } from '../../packaging/bundle.ts'
import type * as Released from '../../src/upload/send/sending.ts'
import { describeWithCeph } from '../helpers/ceph.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import { bytesOf, jobOf, MIB, objectOf, QUICK, s3Target, writeAll } from '../helpers/upload.ts'

describeWithCeph('an upload by the release', (ceph) => {
  test('finds its process beside it, and arrives', async () => {
    const folder = temporaryFolder()
    const { files } = await bundleApp('0.0.0')
    for (const { name, content } of files) writeFileSync(join(folder, name), content)
    const { startSending } = (await import(join(folder, 'sending.js'))) as Pick<typeof Released, 'startSending'>
    const job = jobOf(s3Target(ceph()))
    const bytes = bytesOf(11 * MIB)
    const sending = startSending(job, QUICK)
    await writeAll(sending, bytes)
    expect(await sending.end()).toMatchObject({ sent: { sizeBytes: bytes.length, verified: true } })
    expect(bytes.equals(await objectOf(ceph(), job.key))).toBe(true)
  })
})
