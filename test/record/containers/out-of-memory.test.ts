/** What the kernel's log tells of a container that ran out of memory reaches what is kept of it. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { expect, test } from 'vitest'
import { classify } from '../../../src/record/classify/classify.ts'
import { PHASE_PATTERNS } from '../../../src/record/classify/phase.ts'
import type { NewEvent } from '../../../src/record/events/event.ts'
import { OutOfMemory } from '../../../src/record/containers/follow/out-of-memory.ts'
import { describeWithDocker, sh } from '../../helpers/docker.ts'
import { isComplete, keptOf, startTail, stateFolder } from './tail-kit.ts'

/** Recorded: Linux 6.1, Docker 20.10, control groups of version 1. */
const SAID = `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=ID,mems_allowed=0,oom_memcg=/docker/ID,task_memcg=/docker/ID,task=sh,pid=27579,uid=0`
const ID = '298d6e2a893c9ec24dc3cb01a38d4989bc933d49a53713614119ab18d44e04d1'

/** As the journal has it, and diagd records it. */
function recorded(message: string, timeMs: number): NewEvent[] {
  const fields: Readonly<Record<string, string>> = {
    MESSAGE: message,
    _TRANSPORT: 'kernel',
    SYSLOG_IDENTIFIER: 'kernel',
  }
  const entry = { timeMs, monotonicMs: timeMs, bootId: 'boot', cursor: '', field: (name: string) => fields[name] }
  return classify(entry, { phases: PHASE_PATTERNS })
}

const saidOf = (id: string) => SAID.replaceAll('ID', id)

test.each([
  ['cgroupfs', `/docker/${ID}`, [ID]],
  ['systemd', `/system.slice/docker-${ID}.scope`, [ID]],
  ['podman', `/machine.slice/libpod-${ID}.scope/container`, [ID]],
  ['podman’s own watcher is not in it', `/machine.slice/libpod-conmon-${ID}.scope`, []],
  ['Kubernetes', `/kubepods/burstable/pod25a7b1c6-0e2f-4b8e-9f6d-1f2e3d4c5b6a/${ID}`, [ID]],
  ['one in another', `/docker/${ID}/docker/${'ab'.repeat(32)}`, [ID, 'ab'.repeat(32)]],
  [
    'deeper than the subject of an event is long',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod25a7b1c6_0e2f_4b8e_9f6d_1f2e3d4c5b6a.slice/cri-containerd-${ID}.scope/docker/${'ab'.repeat(32)}`,
    [ID, 'ab'.repeat(32)],
  ],
  ['a service', '/system.slice/hog.service', []],
])('the kernel names the control group: %s', (_, group, ids) => {
  const message = `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/,task_memcg=${group},task=sh,pid=1,uid=0`
  const [event] = recorded(message, 5000)
  const stored = { ...event!, subject: event!.subject.slice(0, 256) }
  expect([...new OutOfMemory().heard([stored])]).toEqual(ids)
})

test('it counts for the run in which it was, not for the one after it', () => {
  const kills = new OutOfMemory()
  expect(kills.heard(recorded(saidOf(ID), 5000)).size).toBe(1)
  expect(kills.heard(recorded(saidOf(ID), 5000)).size).toBe(0)
  expect(kills.inRun(ID, 1000)).toBe(true)
  // Its first process runs a little before the engine says so.
  expect(kills.inRun(ID, 5010)).toBe(true)
  expect(kills.inRun(ID, 5110, 4990)).toBe(false)
  expect(kills.inRun(ID, 5010, 3000)).toBe(true)
  expect(kills.inRun(ID, 6500)).toBe(false)
  expect(kills.inRun(ID, undefined)).toBe(false)
  expect(kills.inRun('f'.repeat(64), 1000)).toBe(false)
})

test('a thousand are remembered', () => {
  const kills = new OutOfMemory()
  const idOf = (number: number) => number.toString(16).padStart(64, '0')
  for (let number = 0; number < 1001; number++) kills.heard(recorded(saidOf(idOf(number)), 5000 + number))
  expect([0, 1, 1000].map((number) => kills.inRun(idOf(number), 5000))).toEqual([false, true, true])
})

describeWithDocker('a container that ran out of memory', (docker) => {
  test('with all its processes: what the kernel says is known of it, though it is removed', async () => {
    const tail = await startTail([docker().socket])
    await tail.heard('engine.followed', 'configured')
    const HostConfig = { Memory: 8 * 1024 * 1024, AutoRemove: true }
    const id = await docker().start('all-gone', { Cmd: sh('x=aaaaaaaa; while :; do x=$x$x; done'), HostConfig })
    const gone = await keptOf(tail, 'all-gone', ({ state }) => state === 'removed')
    expect(gone).toMatchObject({ exitCode: 137, signal: 'SIGKILL' })
    tail.tail.heard(recorded(kernelSaid(id), Date.now()))
    await keptOf(tail, 'all-gone', ({ oomKilled }) => oomKilled === true)
  })

  test('of which its engine knows nothing: before its end, after it, after it was removed, and after diagd was away', async () => {
    const stateDir = await stateFolder()
    const tail = await startTail([docker().socket], { stateDir })
    await tail.heard('engine.followed', 'configured')
    const until = (word: string) => sh(`trap "exit 137" USR1; echo ${word}; while :; do sleep 0.01; done`)
    const end = (id: string) => docker().ask('POST', `/containers/${id}/kill?signal=USR1`)
    const ids: Record<string, string> = {}
    for (const name of ['before', 'after', 'removed', 'away', 'fine']) {
      ids[name] = await docker().start(name, { Cmd: until(name) })
      await keptOf(tail, name, ({ log }) => log.lines === 1)
    }
    tail.tail.heard(recorded(saidOf(ids['before']!), Date.now()))
    for (const id of Object.values(ids)) await end(id)
    await keptOf(tail, 'before', (kept) => isComplete(kept) && kept.oomKilled === true)

    expect(await keptOf(tail, 'after', isComplete)).toMatchObject({ exitCode: 137, oomKilled: false })
    tail.tail.heard(recorded(saidOf(ids['after']!), Date.now()))
    await keptOf(tail, 'after', ({ oomKilled }) => oomKilled === true)

    await docker().ask('DELETE', `/containers/${ids['removed']}`)
    await keptOf(tail, 'removed', (kept) => kept.state === 'removed' && kept.logComplete === true)
    tail.tail.heard(recorded(saidOf(ids['removed']!), Date.now()))
    await keptOf(tail, 'removed', ({ oomKilled }) => oomKilled === true)

    await tail.close()
    const again = await startTail([docker().socket], { stateDir, store: tail.store })
    // Before the engine is followed: it is looked at again when it is.
    again.tail.heard(recorded(saidOf(ids['away']!), Date.now()))
    await keptOf(again, 'away', ({ oomKilled }) => oomKilled === true)
    for (const name of ['before', 'after', 'removed'])
      expect(await keptOf(again, name)).toMatchObject({ exitCode: 137, oomKilled: true })
    expect(await keptOf(again, 'fine', isComplete)).toMatchObject({ exitCode: 137, oomKilled: false })

    await docker().ask('POST', `/containers/${ids['after']}/start`)
    await keptOf(again, 'after', ({ state, log }) => state === 'running' && log.lines === 2)
    await end(ids['after']!)
    expect(await keptOf(again, 'after', isComplete)).toMatchObject({ exitCode: 137, oomKilled: false })
  })
})

/** The kernel's own line about that container. It is written before the process is killed. */
function kernelSaid(id: string): string {
  const records = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
  const record = Buffer.alloc(8192)
  try {
    for (;;) {
      // One at a time; EAGAIN when there is no more, which is a failure here.
      const said = record.toString('utf8', 0, readSync(records, record))
      const line = /;(oom-kill:.*)/.exec(said)?.[1]
      if (line?.includes(`task_memcg=/docker/${id}`)) return line
    }
  } finally {
    closeSync(records)
  }
}
