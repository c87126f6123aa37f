/** Whole bundles beside a real engine and a tail: what was stored and what the engine has, each line once. */
import { expect, test, vi } from 'vitest'
import { describeWithDocker, openRequest, sh } from '../../../helpers/docker.ts'
import { isComplete, keptOf, startTail } from '../tail-kit.ts'
import { bundleOfTail, numbersOf, upTo } from './bundle-kit.ts'

describeWithDocker('a bundle of containers', (docker) => {
  test('has all that one said which is gone, once, as it was stored', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const id = await docker().start('gone', {
      Cmd: sh('i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done; exit 7'),
      Env: ['API_TOKEN=Tr0ub4dor-and-3'],
    })
    await keptOf(tail, 'gone', isComplete)
    await docker().ask('DELETE', `/containers/${id}`)
    await tail.heard('container.destroy', 'gone')
    await keptOf(tail, 'gone', ({ state }) => state === 'removed')
    const bundle = await bundleOfTail(tail, docker().socket)
    const folder = `containers/gone-${id.slice(0, 12)}`
    expect(numbersOf(bundle.text(`${folder}/log.log`))).toEqual(upTo(5000))
    expect(bundle.row(`${folder}/log.log`)).toMatchObject({ outcome: 'ok', segments: [expect.anything()] })
    expect(JSON.parse(bundle.text(`${folder}/state.json`))).toMatchObject({
      state: 'removed',
      exitCode: 7,
      removedAt: expect.stringMatching(/^20/) as string,
    })
    expect(JSON.parse(bundle.text(`${folder}/inspect.json`))).toMatchObject({ Id: id })
  })

  test('has what one said after the tail was stopped, once, and with a tail that goes on nothing twice', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const id = await docker().start('goes-on', {
      Cmd: sh('i=0; while :; do i=$((i+1)); echo line $i; [ $((i % 200)) = 0 ] && sleep 0.02; done'),
    })
    await keptOf(tail, 'goes-on', ({ log }) => log.lines > 3000)
    const live = await bundleOfTail(tail, docker().socket)
    const path = `containers/goes-on-${id.slice(0, 12)}/log.log`
    const during = numbersOf(live.text(path))
    expect(during.length).toBeGreaterThan(3000)
    expect(during).toEqual(upTo(during.length))
    await tail.close()
    const stored = (await keptOf(tail, 'goes-on')).log.lines
    await vi.waitUntil(async () => (await engineLines(docker().socket, id)) > stored + 2000, { timeout: 30_000 })
    await docker().ask('POST', `/containers/${id}/pause`)
    const count = await engineLines(docker().socket, id)
    const bundle = await bundleOfTail(tail, docker().socket)
    expect(numbersOf(bundle.text(path))).toEqual(upTo(count))
    expect(bundle.row(path).outcome).toBe('ok')
    await docker().ask('DELETE', `/containers/${id}?force=1`)
  })

  test('has what went for want of room, as long as the engine has it', async () => {
    const tail = await startTail([docker().socket], { limits: { maxLogBytes: 64 * 1024 } })
    await tail.heard('engine.followed', 'configured')
    const id = await docker().start('talks', {
      Cmd: sh('i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo line $i; done'),
    })
    const { log } = await keptOf(tail, 'talks', isComplete)
    expect(log).toMatchObject({ lines: 60_000, dropped: { cap: expect.any(Number) as number } })
    expect(log.dropped.cap).toBeGreaterThan(1000)
    const path = `containers/talks-${id.slice(0, 12)}/log.log`
    const bundle = await bundleOfTail(tail, docker().socket)
    expect(numbersOf(bundle.text(path))).toEqual(upTo(60_000))
    expect(bundle.text(path)).not.toContain('dropped')
    expect(bundle.row(path)).toMatchObject({ outcome: 'ok', segments: expect.anything() as unknown })
    await docker().ask('DELETE', `/containers/${id}`)
    const { log: left } = await keptOf(tail, 'talks', ({ state }) => state === 'removed')
    const gone = await bundleOfTail(tail, docker().socket)
    expect(gone.text(path)).toMatch(new RegExp(`^… ${left.dropped.cap} lines dropped \\(cap\\) before 20`))
    expect(numbersOf(gone.text(path))).toEqual(upTo(60_000).slice(left.dropped.cap))
  })

  test('has a log as it was written where nothing is to be masked, as long as the engine has it', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const id = await docker().run('blabber', { Cmd: sh('echo password=c0rrect-h0rse; exit 1') })
    const path = `containers/blabber-${id.slice(0, 12)}/log.log`
    await keptOf(tail, 'blabber', isComplete)
    const unmasked = () => bundleOfTail(tail, docker().socket, { unmasked: true })
    expect((await unmasked()).text(path)).toContain('password=c0rrect-h0rse')
    await docker().ask('DELETE', `/containers/${id}`)
    await keptOf(tail, 'blabber', ({ state }) => state === 'removed')
    expect((await unmasked()).text(path)).toContain('password=<masked:')
  })

  test('masks what was stored before it was known to be secret', async () => {
    const secret = 'c0rrect-h0rse-battery'
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const id = await docker().run('babbler', { Cmd: sh(`echo line 1; echo it is ${secret} you know; echo line 2`) })
    await keptOf(tail, 'babbler', isComplete)
    await docker().ask('DELETE', `/containers/${id}`)
    await keptOf(tail, 'babbler', ({ state }) => state === 'removed')
    const path = `containers/babbler-${id.slice(0, 12)}/log.log`
    const before = await bundleOfTail(tail, docker().socket)
    expect(before.text(path)).toContain(secret)
    expect(before.row(path).segments).toBeDefined()
    await tail.close()
    const keeper = await docker().create('keeper', { Cmd: ['true'], Env: [`DB_PASSWORD=${secret}`] })
    const after = await bundleOfTail(tail, docker().socket)
    expect(after.text(path)).not.toContain(secret)
    expect(after.text(path)).toContain('line 2')
    expect(after.row(path).segments).toBeUndefined()
    await docker().ask('DELETE', `/containers/${keeper}`)
  })
})

async function engineLines(socket: string, id: string): Promise<number> {
  return numbersOf(await openRequest(socket, `logs ${id}`)).length
}
