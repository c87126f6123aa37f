/**
 * What was recorded outlives its boot: after two reboots and a power cut four boots are told apart, and what was
 * acknowledged, or stood in the journal, is there once.
 */
import { beforeAll, expect, test, vi } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle } from './harness/diagd.ts'
import { eventsOf, LOCAL_DOOR, timelineAs, timelineOf, withDatabase, type Told } from './harness/recorded.ts'
import type { Vm } from './harness/vm.ts'

const files = {
  '/etc/systemd/system/broken.service': `[Unit]
Description=Fails in every boot
[Service]
Type=oneshot
ExecStart=/bin/false
`,
  '/etc/systemd/system/multi-user.target.d/broken.conf': '[Unit]\nWants=broken.service\n',
}

/** In the order in which they happen. */
const NAMES = ['first', 'second', 'third', 'fourth'] as const

describeVm('four boots', { files }, (vm) => {
  const boots: Boot[] = []
  /** As one asks for it: 0 is the fourth. */
  const numbered = () => boots.map((boot, at) => ({ ...boot, number: at - 3 }))

  beforeAll(async () => {
    for (const name of NAMES) {
      boots.push(await work(vm(), name))
      if (name === 'third') boots.at(-1)!.acknowledged.push(...(await cutWhilePosting(vm())))
      if (name === 'first' || name === 'second') await vm().reboot()
      if (name === 'third') await vm().boot()
      // At boot systemd may take a second attempt: this comes back when it is READY.
      await vm().run('systemctl', 'start', 'diagd')
    }
  })

  test('each has a timeline of its own', async () => {
    expect(new Set(boots.map(({ id }) => id)).size).toBe(4)
    for (const { id, name, number } of numbered()) {
      const { bootId, state, steps } = await timelineOf(vm(), number)
      expect({ bootId, state }).toEqual({ bootId: id.replaceAll('-', ''), state: name === 'fourth' ? 'up' : 'over' })
      const named = (source: string) => steps.filter((step) => step.source === source).map((step) => step.name)
      expect(named('provision')).toEqual([`work-${name}`])
      expect(named('phase')).toEqual([...(name === 'first' ? ['install-diagd'] : []), `phase-${name}`])
      expect(steps.filter((step) => step.name === 'broken.service')).toMatchObject([{ status: 'failed' }])
      expect(await timelineAs(vm(), number, 'txt')).toContain(id.replaceAll('-', ''))
    }
    await expect(timelineOf(vm(), -4)).rejects.toThrow('exit code 22')
  })

  test('two ended by a reboot, one without a word', async () => {
    const ends = async (boot: number) => {
      const types = (await eventsOf(vm(), `boot=${boot}&type=system`)).map(({ type }) => type)
      return types.filter((type) => type === 'system.shutdown' || type === 'system.unclean-end')
    }
    expect(await ends(-3)).toEqual(['system.shutdown'])
    expect(await ends(-2)).toEqual(['system.shutdown'])
    expect(await ends(-1)).toEqual(['system.unclean-end'])
    expect(await ends(0)).toEqual([])
    const before = async (boot: number) =>
      (await eventsOf(vm(), `boot=${boot}&type=diagd.started`)).map(({ detail }) => detail?.['before'])
    expect(await Promise.all([-3, -2, -1, 0].map(before))).toEqual([['none'], ['stopped'], ['stopped'], ['machine']])
  })

  test('what was acknowledged is there once, also right before the power cut', async () => {
    for (const { acknowledged, number, id } of numbered()) {
      const told = await eventsOf(vm(), `boot=${number}&type=test.noted`)
      expect(new Set(told.map(({ bootId }) => bootId))).toEqual(new Set([id]))
      const subjects = told.map(({ subject }) => subject)
      expect(subjects).toEqual([...new Set(subjects)])
      expect(acknowledged.filter((subject) => !subjects.includes(subject))).toEqual([])
      // The power went while some were under way.
      expect(subjects.length - acknowledged.length).toBeLessThanOrEqual(number === -1 ? POSTERS : 0)
    }
  })

  test('what stood in the journal is there once', async () => {
    const times = async (boot: number, type: string, subject: string) =>
      (await eventsOf(vm(), `boot=${boot}&type=${type}`)).filter((event) => event.subject === subject).length
    // The journal of this boot is read while this is asked.
    await vi.waitFor(async () => expect(await times(0, 'phase.ended', 'phase-fourth')).not.toBe(0), PATIENCE)
    for (const { name, number } of numbered()) {
      const told = await Promise.all([
        times(number, 'phase.started', `phase-${name}`),
        times(number, 'phase.ended', `phase-${name}`),
        times(number, 'unit.failed', 'broken.service'),
        times(number, 'target.reached', 'multi-user.target'),
      ])
      expect({ name, told }).toEqual({ name, told: [1, 1, 1, 1] })
    }
  })

  test('the database in a bundle is whole, and holds all of it', async () => {
    const { files, text } = await fetchBundle(vm(), '?only=events,boot')
    expect(text('summary.txt')).toContain('WITHOUT A WORD')
    withDatabase(files.get('events/events.db')!, (db) => {
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
      expect(db.prepare('SELECT boot_id FROM boot_list').pluck().all()).toEqual(boots.map(({ id }) => id).toReversed())
      const noted = db.prepare<[], Told>("SELECT subject FROM events WHERE type = 'test.noted'").all()
      const subjects = noted.map(({ subject }) => subject)
      expect(subjects).toEqual([...new Set(subjects)])
      const lost = boots.flatMap(({ acknowledged }) => acknowledged).filter((subject) => !subjects.includes(subject))
      expect(lost).toEqual([])
    })
  })
})

const PATIENCE = { timeout: 60_000 }

interface Boot {
  readonly id: string
  readonly name: string
  /** Subjects of events of type `test.noted` that diagd has taken. */
  readonly acknowledged: string[]
}

const LIST = 100

/** What happens in every boot, under names of its own. */
async function work(vm: Vm, name: string): Promise<Boot> {
  const list = Array.from({ length: LIST }, (_, at) => ({ type: 'test.noted', subject: `${name}-${at}` }))
  await vm.sh(`logger 'PHASE START: phase-${name}'
diagd event provision.work-${name} --status started
diagd event test.noted --subject '${name}-alone'
diagd event provision.work-${name} --status finished
logger 'PHASE END: phase-${name}'`)
  await vm.run('curl', ...LOCAL_DOOR, ...JSON_BODY, JSON.stringify(list), 'http://localhost/events')
  const id = await vm.run('cat', '/proc/sys/kernel/random/boot_id')
  return { id, name, acknowledged: [`${name}-alone`, ...list.map(({ subject }) => subject)] }
}

const JSON_BODY = ['--header', 'Content-Type: application/json', '--data']

/** Posts events one after the other, four at a time, and cuts the power under them: which of them were acknowledged. */
async function cutWhilePosting(vm: Vm): Promise<string[]> {
  const curl = `curl ${LOCAL_DOOR.join(' ')} --output /dev/null --header 'Content-Type: application/json'`
  const script = `post() {
  for (( n = 1; ; n++ )); do
    ${curl} --data '{"type":"test.noted","subject":"cut-'$1-$n'"}' http://localhost/events
    echo cut-$1-$n
  done
}
for at in ${Array.from({ length: POSTERS }, (_, at) => at).join(' ')}; do post $at & done
wait`
  const posting = vm.start('bash', '-euc', script)
  let heard = ''
  await new Promise<void>((resolve, reject) => {
    posting.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (heard.split('\n').length > ENOUGH) resolve()
    })
    posting.catch(reject)
  })
  await vm.powerCut()
  await posting.catch(() => {})
  return heard.split('\n').filter((line) => /^cut-\d+-\d+$/.test(line))
}

const POSTERS = 4
const ENOUGH = 50
