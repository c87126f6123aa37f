/** A machine sends bundles across its network to an object storage that is real: asked for, by itself, while it goes down, and after it went down without a word. */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithCeph, KEYS, type Ceph } from '../helpers/ceph.ts'
import { openDistantBucket, type DistantBucket } from './harness/bucket.ts'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, openBundle } from './harness/diagd.ts'
import { eventsOf, LOCAL_DOOR } from './harness/recorded.ts'
import type { Vm } from './harness/vm.ts'

interface Upload {
  readonly id: number
  readonly state: string
  readonly trigger: string
  readonly reason: string
  readonly created: string
  readonly finished?: string
  readonly tries: number
  readonly lastError?: { readonly kind: string }
  readonly key?: string
  readonly sizeBytes?: number
  readonly sha256?: string
  readonly verified?: boolean
  readonly outcome?: string
  readonly bootId: string
}

describeWithCeph('uploads', (ceph) => {
  describeVm('a machine with a bucket', { copies: { '/opt/image/bin/busybox': '/bin/busybox' } }, (vm) => {
    let bucket: DistantBucket
    beforeAll(async () => {
      bucket = await openDistantBucket(vm(), ceph().port)
      await vm().feed(bucket.ca, 'tee', '/etc/diagd/s3-ca.pem')
      const secret = Buffer.from(JSON.stringify(KEYS))
      await vm().feed(secret, 'bash', '-euc', 'umask 077; cat >/etc/diagd/s3.json')
      await vm().feed(Buffer.from(configuration(bucket, ceph())), 'tee', '--append', '/etc/diagd/config.yaml')
      await vm().sh('systemctl restart diagd')
    })
    afterAll(() => bucket?.remove())

    test('while nobody listens there, what is to be sent waits and says why; recording and bundles go on', async () => {
      await vm().run('diagd', 'upload', '--reason', 'into the void')
      const failed = await upload(vm(), (one) => /void/.test(one.reason) && one.tries > 0 && one.state === 'waiting')
      expect(failed).toMatchObject({ trigger: 'request', lastError: { kind: 'unreachable' } })
      const [told] = await eventsOf(vm(), 'type=upload.failed')
      expect(told).toMatchObject({ subject: String(failed.id), detail: { kind: 'unreachable' } })
      expect((await fetchBundle(vm(), '?only=system')).manifest.complete).toBe(true)
    })

    test('nor is the machine held up when it goes down', async () => {
      const [{ bootId }] = (await uploads(vm())) as [Upload]
      await vm().reboot()
      await started(vm())
      await bucket.appear()
      const last = (await uploads(vm())).find(({ trigger }) => trigger === 'shutdown')
      expect(last).toMatchObject({ state: 'waiting', bootId, lastError: { kind: 'unreachable' } })
      const said = await vm().run('journalctl', '--boot=-1', '--unit=diagd-upload-shutdown', '--output=cat')
      expect(said).toMatch(/diagd: upload \d+ .*unreachable/)
      expect(said).not.toMatch(/timed out|timeout/i)
    })

    test('one that is asked for crosses the network: the confined service sends it, and it is there as it was made', async () => {
      // All but that: what cloud-init knows of secrets is withheld, and what is withheld is a part that is missing.
      const options = ['--wait', '--json', '--skip', 'cloud-init', '--reason', 'does it work?']
      const said = await vm().run('diagd', 'upload', ...options)
      const sent = JSON.parse(said) as Upload
      expect(sent).toMatchObject({ state: 'uploaded', verified: true, outcome: 'whole', trigger: 'request' })
      expect(sent.key).toMatch(/^(i-\d+)\/\d{4}-\d\d-\d\d\/debug-\1-.*\.tar\.gz$/)
      const { archive, manifest, files } = await opened(ceph(), sent)
      expect(archive.length).toBe(sent.sizeBytes)
      expect(createHash('sha256').update(archive).digest('hex')).toBe(sent.sha256)
      expect(manifest.complete).toBe(true)
      expect([...files.keys()]).toContain('systemd/list-units.txt')
      expect(await uploads(vm(), 'state=uploaded')).toContainEqual(expect.objectContaining({ id: sent.id }))
      expect((await eventsOf(vm(), 'type=upload.done')).map(({ subject }) => subject)).toContain(String(sent.id))
      expect(await vm().run('curl', ...LOCAL_DOOR, 'http://localhost/metrics')).toMatch(
        /^diagd_uploads_total\{result="uploaded"\} [1-9]/m,
      )
    })

    test('a unit that fails is one, with its last words, though it fails again', async () => {
      await vm().sh(`for time in first second; do
  systemd-run --quiet --wait --unit=broken sh -c "echo last words of the $time; exit 1" || true
  systemctl reset-failed broken
done`)
      const sent = await upload(vm(), ({ trigger, state }) => trigger === 'unit' && state === 'uploaded')
      expect(sent).toMatchObject({ verified: true, reason: expect.stringContaining('broken') as string })
      expect(texts(await opened(ceph(), sent))).toMatch(/last words of the first[^]*last words of the second/)
    })

    test('a container that dies is one, with its last words', async () => {
      await vm().sh(`for name in sh echo; do ln -s busybox /opt/image/bin/$name; done
tar -C /opt/image -c . | docker import - busybox >/dev/null
docker run --name brief busybox sh -c 'echo last words of a container >&2; exit 3' || [ $? = 3 ]`)
      const sent = await upload(vm(), ({ trigger, state }) => trigger === 'container' && state === 'uploaded')
      expect(sent.reason).toMatch(/brief.*exit code 3/)
      const { files } = await opened(ceph(), sent)
      const log = [...files].find(([name]) => /^containers\/brief-[^/]*\/log\.log$/.test(name))
      expect(log?.[1].toString()).toContain('last words of a container')
    })

    test('what waited has arrived by itself', async () => {
      for (const name of [/into the void/, /the machine goes down/]) {
        const sent = await upload(vm(), ({ reason, state }) => name.test(reason) && state === 'uploaded')
        await opened(ceph(), sent)
      }
    })

    test('after a power cut the next boot sends one of it', async () => {
      await vm().powerCut()
      await vm().boot()
      await started(vm())
      const sent = await upload(vm(), ({ trigger, state }) => trigger === 'unclean-end' && state === 'uploaded')
      const { text } = await opened(ceph(), sent)
      expect(text('boot/previous-boot.txt')).toContain('NO SHUTDOWN recorded before this boot')
    })

    test('when it goes down it sends a small one, while the network is there', async () => {
      const [{ bootId }] = (await uploads(vm())) as [Upload]
      await vm().reboot()
      await started(vm())
      const sent = (await uploads(vm())).find(({ trigger }) => trigger === 'shutdown')
      expect(sent).toMatchObject({ state: 'uploaded', verified: true, tries: 1, bootId })
      const { archive } = await opened(ceph(), sent!)
      expect(archive.length).toBeLessThan(5 * 1024 * 1024)
    })

    test('and by its schedule; each thing that broke was one and no more', async () => {
      await upload(vm(), ({ trigger, state }) => trigger === 'schedule' && state === 'uploaded')
      const triggers = (await uploads(vm())).map(({ trigger }) => trigger).filter((one) => one !== 'schedule')
      const once = ['container', 'request', 'request', 'shutdown', 'shutdown', 'unclean-end', 'unit']
      expect(triggers.toSorted()).toEqual(once)
    })
  })
})

/** What the machine that runs the test has of pressure and full disks is no business of it. */
function configuration({ endpoint }: DistantBucket, { bucket }: Ceph): string {
  return `
uploads:
  target: s3://${bucket}
  endpoint: ${endpoint}
  region: us-east-1
  credentials: /etc/diagd/s3.json
  ca: /etc/diagd/s3-ca.pem
  schedule: '* * * * *'
  jitter: 0s
  # Quick ones; who asks for another gets it.
  bundle: { skip: [systemd, system, network, kernel, cloud-init, metrics, processes, security, firewall, packages] }
  triggers:
    shutdown: { debounce: 0s }
    pressure: false
    disk: false
    oomKill: false
    slowBoot: false
`
}

/** Waits until it has told systemd READY. At boot systemd may take a second attempt (226/NAMESPACE), 5 s later. */
const started = (vm: Vm) => vm.run('systemctl', 'start', 'diagd')

/** The newest first. */
async function uploads(vm: Vm, query = ''): Promise<Upload[]> {
  const answer = await vm.run('curl', ...LOCAL_DOOR, `http://localhost/uploads?${query}`)
  return (JSON.parse(answer) as { uploads: Upload[] }).uploads
}

/** Waits until there is one like that. */
async function upload(vm: Vm, isIt: (one: Upload) => boolean): Promise<Upload> {
  for (;;) {
    const found = (await uploads(vm)).find(isIt)
    if (found) return found
    await delay(100)
  }
}

/** Of the object: whole, says `diagd verify`. */
async function opened({ client, bucket }: Ceph, { key }: Upload) {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return openBundle(Buffer.from(await Body!.transformToByteArray()))
}

function texts({ files }: Awaited<ReturnType<typeof openBundle>>): string {
  return Array.from(files.values(), (content) => content.toString('latin1')).join('\n')
}
