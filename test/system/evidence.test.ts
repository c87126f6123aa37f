/** What happened on a machine is in its bundle, and none of its secrets: as it runs, after a reboot, after a power cut. */
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, openBundle, type Bundle } from './harness/diagd.ts'
import { plantSecrets } from './harness/plant.ts'
import type { Vm } from './harness/vm.ts'
import { fallSick, newFacts, sickRoot } from './harness/sick-machine.ts'

const planted = plantSecrets()
const facts = newFacts()

describeVm('a sick machine', sickRoot(planted, facts), (vm) => {
  let bundle: Bundle

  test('everything planted is found', async () => {
    await fallSick(vm(), planted, facts)
    bundle = await fetchBundle(vm())
    const { text } = bundle
    expect(text('journal/boot-0.log')).toContain(facts.journal)
    expect(text('syslog/syslog')).toContain(facts.journal)
    expect(text('cloud-init/cloud-init-output.log')).toContain(facts.cloudInit)
    expect(text('cloud-init/user-data.txt')).toContain(facts.cloudInit)
    expect(JSON.parse(text('cloud-init/status.json'))).toHaveProperty('v1.stage', null)
    expect(text('systemd/failed-units.txt')).toContain('broken.service')
    expect(text('firewall/nft-ruleset.txt')).toMatch(/table inet planted \{\n\s+chain input/)
    expect(text('firewall/iptables-nft.txt')).toContain('-A PLANTED -p tcp -m tcp --dport 7777')
    expect(text('processes/tree.txt')).toContain('read line </run/never')
  })

  test('its containers are there: the one that runs, the dead one, and the one that dies again and again', () => {
    const state = (name: string) =>
      JSON.parse(entry(bundle, `containers/${name}-`, '/state.json')) as { [key: string]: unknown }
    expect(state('web')).toMatchObject({ State: { Status: 'running' } })
    expect(entry(bundle, 'containers/web-', '/log.log')).toContain(facts.container)
    expect(state('dead')).toMatchObject({ State: { Status: 'exited', ExitCode: 3 } })
    expect(entry(bundle, 'containers/dead-', '/log.log')).toContain('its last words')
    expect(state('again')['RestartCount']).toBeGreaterThanOrEqual(2)
  })

  test('no secret is', async () => {
    expect(planted.shownIn(textsOf(bundle))).toEqual([])
    // Each of them can be found where nothing is masked. Root can ask for that; 3: cloud-init's own secrets are never read.
    await vm().sh('diagd collect --unmasked -o /root/unmasked.tar.gz || [ $? = 3 ]')
    const unmasked = await openBundle(await vm().output('cat', '/root/unmasked.tar.gz'))
    const shown = new Set(planted.shownIn(textsOf(unmasked)).map(({ planted }) => planted))
    expect(planted.places().filter((place) => !shown.has(place))).toEqual([])
  })

  test('after a reboot it runs again, and both boots are there', async () => {
    expect(await vm().reboot()).toBe('running')
    await started(vm())
    const { text } = await fetchBundle(vm())
    expect(text('journal/boot-1.log')).toContain(facts.journal)
    expect(text('journal/boot-0.log')).not.toContain(facts.journal)
    expect(text('boot/previous-boot.txt')).toContain('orderly shutdown or reboot')
  })

  test('after a power cut, too, and the bundle says that there was one', async () => {
    await vm().powerCut()
    expect(await vm().boot()).toBe('running')
    await started(vm())
    const { text } = await fetchBundle(vm())
    expect(text('boot/previous-boot.txt')).toContain('NO SHUTDOWN recorded before this boot')
    expect(text('boot/list-boots.txt').match(/^ *-?\d/gm)).toHaveLength(3)
  })
})

/** Waits until it has told systemd READY. At boot systemd may take a second attempt (226/NAMESPACE), 5 s later. */
const started = (vm: Vm) => vm.run('systemctl', 'start', 'diagd')

/** All entries, their names, and the tar itself. */
function* textsOf({ files, archive }: Bundle): Generator<[string, string]> {
  for (const [name, content] of files) yield [name, content.toString('latin1')]
  yield ['the names of entries', [...files.keys()].join('\n')]
  yield ['the archive', gunzipSync(archive).toString('latin1')]
}

/** The one entry with this beginning and end. */
function entry({ files }: Bundle, begin: string, end: string): string {
  const found = [...files].filter(([name]) => name.startsWith(begin) && name.endsWith(end))
  expect(found.map(([name]) => name)).toHaveLength(1)
  return found[0]![1].toString()
}
