/** What somebody sees who clicks: a real diagd, the control plane, nginx, Chromium. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Page } from 'playwright-core'
import { describeWithBrowser, FAR, openPage, openProxy } from '../helpers/browser.ts'
import { run, start } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/commands.ts'
import {
  deadAddress,
  endlessNode,
  expectHeldUp,
  freePort,
  openNode,
  openPlane,
  rawNode,
  readNothing,
} from '../helpers/control-plane.ts'
import { BUNDLE_ID, curl, depsOf, resultOf } from '../helpers/http.ts'

const chunk = Buffer.alloc(64 * 1024, 'x')

/** Resolves with the words, once the page has come to an end. */
async function outcome(page: Page): Promise<{ state: string | null; words: string; advice: string }> {
  const result = page.locator('#result:is(.saved, .failed, .cancelled)')
  await result.waitFor()
  return {
    state: await result.getAttribute('class'),
    words: await page.locator('#status').innerText(),
    advice: (await page.locator('#advice').textContent()) ?? '',
  }
}

/** What the page keeps while it downloads. In the browser's own words: its types are not ours. */
const kept = (page: Page) =>
  page.evaluate<string[]>(`navigator.storage.getDirectory()
    .then((root) => root.getDirectoryHandle('debug-bundles', { create: true }))
    .then((folder) => Array.fromAsync(folder.keys()))`)

async function localNode(folder: string): Promise<{ address: string }> {
  await serve(folder, { DIAGD_LISTEN: 'none' })
  return { address: `unix:${join(folder, 'diagd.sock')}` }
}

async function tokenNode(folder: string): Promise<{ address: string; headerFile: string }> {
  const headerFile = join(folder, 'web.header')
  expect(await run(['token', 'create', 'control-plane', '-o', headerFile], { cwd: folder })).toMatchObject({ code: 0 })
  const listen = `127.0.0.1:${await freePort()}`
  await serve(folder, { DIAGD_LISTEN: listen })
  return { address: `http://${listen}`, headerFile }
}

async function serve(folder: string, env: Record<string, string>): Promise<void> {
  const diagd = start(['serve'], { cwd: folder, env: { DIAGD_SOCKET: join(folder, 'diagd.sock'), ...env } })
  onTestFinished(async () => {
    diagd.child.kill()
    await diagd.ended
  })
  await diagd.says(/diagd listens/)
}

/** A node whose bundle is `first`, and then whatever the test says. */
async function pausedNode(): Promise<{ tcp: string; stopped: Promise<void>; go: (end: 'whole' | 'cut') => void }> {
  const { promise, resolve: go } = Promise.withResolvers<'whole' | 'cut'>()
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const { tcp } = await openNode({
    async collect({ sink, signal }) {
      signal.addEventListener('abort', () => stop())
      await sink.write(chunk)
      if ((await Promise.race([promise, stopped])) !== 'whole') throw new Error('broken')
      await sink.write(chunk)
      return resultOf(2 * chunk.length)
    },
  })
  return { tcp, stopped, go }
}

describeWithBrowser('the node page', (browser) => {
  test.each([
    ['through its unix socket', '127.0.0.1', localNode],
    ['with a token', FAR, tokenNode],
  ])(
    'one click: the file on disk is the bundle of a real diagd, whole (%s, page at %s)',
    async (_how, name, open) => {
      const folder = temporaryFolder()
      const plane = await openPlane({ web: { ...(await open(folder)), state: 'failing' } }, {}, [FAR])
      const { page, mistakes } = await openPage(browser(), `http://${name}:${await openProxy(plane.url)}`)
      await page.getByRole('link', { name: 'web' }).click()
      await page.goto(`${page.url()}?only=system,kernel&since=2h`)
      const downloading = page.waitForEvent('download').catch((error: Error) => error)
      await page.getByRole('button', { name: 'Download debug bundle' }).click()
      expect(await outcome(page)).toMatchObject({
        words: expect.stringMatching(/^Saved, whole: [\d.]+ KiB$/),
        advice: '',
      })
      const download = await downloading
      if (download instanceof Error) throw download
      const file = join(folder, download.suggestedFilename())
      await download.saveAs(file)
      const { code, stdout } = await run(['verify', file], { cwd: folder })
      expect({ code, mistakes }).toEqual({ code: 0, mistakes: [] })
      expect(file).toMatch(/\/debug-.*-\d{8}T\d{6}Z-[0-9a-f]{6}\.tar\.gz$/)
      expect(stdout.toString()).toContain('whole: debug-')
    },
    120_000,
  )

  test('bytes are shown as they come, under the name of the file', async () => {
    const { tcp, go } = await pausedNode()
    const plane = await openPlane({ web: tcp })
    const { page } = await openPage(browser(), `http://localhost:${await openProxy(plane.url)}/nodes/web`)
    await page.getByRole('button', { name: 'Download debug bundle' }).click()
    await page.getByText('64.0 KiB', { exact: true }).waitFor()
    expect(await page.locator('#file').innerText()).toBe(`${BUNDLE_ID}.tar.gz`)
    expect(await page.getByRole('status').innerText()).toContain('Downloading')
    expect(await page.getByRole('button', { name: 'Download debug bundle' }).isDisabled()).toBe(true)
    go('whole')
    expect((await outcome(page)).words).toBe('Saved, whole: 128.0 KiB')
    expect(await page.getByRole('button', { name: 'Download debug bundle' }).isDisabled()).toBe(false)
  })

  test.each(['127.0.0.1', FAR])('a stream cut half-way shows as failed, and nothing is saved (%s)', async (name) => {
    const { tcp, go } = await pausedNode()
    const plane = await openPlane({ web: tcp }, {}, [FAR])
    const { page, mistakes } = await openPage(browser(), `http://${name}:${await openProxy(plane.url)}/nodes/web`)
    const downloads: string[] = []
    page.on('download', (download) => downloads.push(download.suggestedFilename()))
    await page.getByRole('button', { name: 'Download debug bundle' }).click()
    await page.getByText('64.0 KiB', { exact: true }).waitFor()
    go('cut')
    const { state, words, advice } = await outcome(page)
    expect({ state, mistakes, downloads }).toEqual({ state: 'failed', mistakes: [], downloads: [] })
    expect(words).toContain('Cut half-way')
    expect(words).toContain('Nothing was saved')
    expect(advice).toContain('broke off')
    if (name !== FAR) expect(await kept(page)).toEqual([])
    expect((await plane.logged('cut')).node).toBe('web')
  })

  test('cancel stops the node, and the button is there again', async () => {
    const { tcp, stopped } = await pausedNode()
    const plane = await openPlane({ web: tcp })
    const { page } = await openPage(browser(), `http://localhost:${await openProxy(plane.url)}/nodes/web`)
    await page.getByRole('button', { name: 'Download debug bundle' }).click()
    await page.getByText('64.0 KiB', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(await outcome(page)).toMatchObject({ state: 'cancelled', words: 'Cancelled. Nothing was saved.' })
    await stopped
    expect(await kept(page)).toEqual([])
    expect(await page.getByRole('button', { name: 'Cancel' }).isVisible()).toBe(false)
  })

  test('what is left of a visit is gone with the next one', async () => {
    const { tcp } = await openNode()
    const plane = await openPlane({ web: tcp })
    const { page } = await openPage(browser(), `http://localhost:${await openProxy(plane.url)}/nodes/web`)
    await page.getByRole('button', { name: 'Download debug bundle' }).click()
    expect((await outcome(page)).state).toBe('saved')
    expect(await kept(page)).toHaveLength(1)
    await page.reload()
    await expect.poll(() => kept(page)).toEqual([])
  })

  test('unreachable, refused and timed out are told apart', async () => {
    const refusing = await openNode({ config: depsOf().config })
    const silent = await rawNode(() => {})
    const nodes = { dead: await deadAddress(), locked: refusing.tcp, silent }
    const plane = await openPlane(nodes, { firstByteMs: 100 })
    const origin = `http://localhost:${await openProxy(plane.url)}`
    const words: Record<string, string> = {}
    for (const node of Object.keys(nodes)) {
      const { page } = await openPage(browser(), `${origin}/nodes/${node}`)
      await page.getByRole('button', { name: 'Download debug bundle' }).click()
      const told = await outcome(page)
      expect(told.advice).not.toBe('')
      words[node] = told.words
    }
    expect(words).toEqual({
      dead: 'Failed: The node cannot be reached. Nothing was saved.',
      locked: 'Failed: The node refuses the control plane’s credential. Nothing was saved.',
      silent: 'Failed: The node does not answer in time. Nothing was saved.',
    })
  })

  test('a control plane that is gone is told as well', async () => {
    const plane = await openPlane({ web: await deadAddress() })
    const { page } = await openPage(browser(), `${plane.url}/nodes/web`)
    await plane.close()
    await page.getByRole('button', { name: 'Download debug bundle' }).click()
    expect((await outcome(page)).words).toContain('Failed: The control plane does not answer')
  })
})

describeWithBrowser('behind nginx', () => {
  test('who does not read holds up the node all the same', async () => {
    const { tcp, ended } = await endlessNode()
    const plane = await openPlane({ web: tcp })
    const port = await openProxy(plane.url)
    await readNothing(plane.address('web').replace(new URL(plane.url).port, String(port)))
    await expectHeldUp(ended)
  })

  test('a cut stream is cut for curl too', async () => {
    const { tcp, go } = await pausedNode()
    const plane = await openPlane({ web: tcp })
    const port = await openProxy(plane.url)
    go('cut')
    const { code } = await curl('-f', '-o', '/dev/null', `http://localhost:${port}/api/nodes/web/debug-package`)
    expect([18, 56]).toContain(code)
  })
})
