/** The disk of the state folder hangs, from the start or later: diagd serves, says so, and goes on when the disk does. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { extract } from '../helpers/archive.ts'
import { ownFolder, startDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'

interface Health {
  readonly status: string
  readonly problems: readonly { readonly key: string; readonly message: string }[]
}

async function health(daemon: TestDaemon): Promise<Health> {
  return (await daemon.ask('GET', '/health')).json() as Health
}

/** Asks for the health until it fits: nothing else tells. */
async function becomes(daemon: TestDaemon, fits: (health: Health) => boolean): Promise<Health> {
  for (;;) {
    const now = await health(daemon)
    if (fits(now)) return now
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const tellsHung = ({ problems }: Health) =>
  problems.some(({ key, message }) => key === 'events' && /^The disk has not taken events for \d+ s/.test(message))

const post = (daemon: TestDaemon, subject: string) => daemon.ask('POST', '/events', { type: 'test.one', subject })

interface Row {
  readonly path: string
  readonly outcome: string
  readonly detail?: string
}

function rowsOf(bundle: Buffer): { rows: Row[]; complete: boolean } {
  const [, manifest] = [...extract(bundle)].find(([path]) => path.endsWith('/manifest.json'))!
  return JSON.parse(manifest.toString()) as { rows: Row[]; complete: boolean }
}

const mayMount = process.geteuid?.() === 0

/** A file system of its own that can be frozen: whoever writes waits, as on a disk that hangs. */
function freezable(): { folder: string; freeze: () => void; thaw: () => void } {
  const folder = ownFolder()
  const mount = join(folder, 'state')
  mkdirSync(mount)
  const image = join(folder, 'image')
  writeFileSync(image, '')
  truncateSync(image, 32 * 1024 * 1024)
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mount', ['-o', 'loop', image, mount])
  let frozen = false
  const thaw = () => {
    if (frozen) execFileSync('fsfreeze', ['--unfreeze', mount])
    frozen = false
  }
  onTestFinished(() => {
    thaw()
    execFileSync('umount', ['--lazy', mount])
  })
  const freeze = () => {
    execFileSync('fsfreeze', ['--freeze', mount])
    frozen = true
  }
  return { folder, freeze, thaw }
}

// Ten seconds go by before it is said, and more until everybody has given up.
const PATIENT = { timeout: 180_000 }

describe.runIf(mayMount)('a disk that hangs', PATIENT, () => {
  test('while events come: they wait, it is said, all else goes on; nothing is lost when it answers again', async () => {
    const disk = freezable()
    const daemon = await startDaemon({}, disk.folder)
    expect((await post(daemon, 'before')).status).toBe(201)
    disk.freeze()
    const during = post(daemon, 'during')
    const { status, problems } = await becomes(daemon, tellsHung)
    expect(status).toBe('degraded')
    expect(problems).toContainEqual({ key: 'events', message: expect.stringMatching(/; \d+ wait$/) as string })
    const bundle = await daemon.ask('GET', '/debug-package?only=system')
    expect(rowsOf(bundle.body)).toMatchObject({ complete: true })
    disk.thaw()
    expect((await during).status).toBe(201)
    await becomes(daemon, ({ problems: now }) => now.every(({ key }) => key !== 'events'))
    const { events } = (await daemon.ask('GET', '/events?type=test')).json() as { events: { subject: string }[] }
    expect(events.map(({ subject }) => subject)).toEqual(['during', 'before'])
    expect((await daemon.stop()).code).toBe(0)
  })
})

const dead = mayMount ? await deadFuse() : undefined
afterAll(() => dead?.stop())

describe.runIf(dead)('a state folder that never answers', PATIENT, () => {
  test('keeps nobody from a bundle: what was to be recorded is missing there, with the reason', async () => {
    const daemon = await startDaemon({ STATE_DIRECTORY: join(dead!.path, 'state') })
    await becomes(daemon, tellsHung)
    const asked = daemon.ask('GET', '/events')
    const { body } = await daemon.ask('GET', '/debug-package?only=events,system&limits=stall=1s')
    const { rows, complete } = rowsOf(body)
    expect(complete).toBe(true)
    const events = rows.filter(({ path }) => path.startsWith('events'))
    expect(events).not.toEqual([])
    for (const row of events)
      expect(row).toMatchObject({
        outcome: expect.stringMatching(/timeout|failed/) as string,
        detail: expect.stringContaining('no answer within') as string,
      })
    expect(rows.some(({ path, outcome }) => path.startsWith('system/') && outcome === 'ok')).toBe(true)
    expect((await asked).status).toBe(503)
    // Its threads wait for the disk, and only that ends them.
    daemon.running.child.kill('SIGTERM')
    await daemon.running.says(/diagd stopped/)
    daemon.running.child.kill('SIGKILL')
    await daemon.running.ended
  })
})
