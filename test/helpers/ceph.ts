/**
 * A Ceph of the test's own: a real S3, which refuses wrong secrets.
 *
 *     describeWithCeph('an upload', (ceph) => {
 *       test('…', async () => {
 *         await ceph().client.send(new GetObjectCommand({ Bucket: ceph().bucket, Key: '…' }))
 */
import { afterAll, beforeAll, describe } from 'vitest'
import { hasCeph, startCeph, type Ceph, type StartedCeph } from './ceph-server.ts'

export { KEYS, type Ceph } from './ceph-server.ts'

const isThere = hasCeph()
if (!isThere && process.env['CI'])
  throw new Error('this needs Ceph (Debian packages radosgw ceph-mon ceph-osd ceph-common)')

export function describeWithCeph(title: string, body: (ceph: () => Ceph) => void): void {
  describe.runIf(isThere)(`${isThere ? '' : 'SKIPPED: needs the Debian packages of Ceph: '}${title}`, () => {
    let started: StartedCeph | undefined
    beforeAll(async () => void (started = await startCeph()))
    afterAll(() => started?.stop())
    body(() => started!)
  })
}
