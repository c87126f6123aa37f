/** What makes boots slow, staged on one machine: each is seen at a glance in the timeline of that boot, then and one boot later. */
import { beforeAll, describe, expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle } from './harness/diagd.ts'
import { timelineAs } from './harness/recorded.ts'
import { slowRoot } from './harness/slow-machine.ts'

interface Shown {
  text: string
  picture: string
}

describeVm('a boot on which everything goes wrong', slowRoot(), (vm) => {
  const asItWas: Shown = { text: '', picture: '' }
  const later: Shown = { text: '', picture: '' }
  const next: Shown = { text: '', picture: '' }

  beforeAll(async () => {
    const { text } = await fetchBundle(vm(), '?only=boot')
    Object.assign(asItWas, { text: text('boot/timeline.txt'), picture: text('boot/timeline.svg') })
    // Two more steps begin, and the machine is rebooted under them; the network is there from now on.
    await vm().sh(`rm /etc/systemd/system/network-online.target.d/wait.conf
logger 'PHASE START: upgrade'
diagd event provision.images --status started`)
    await vm().reboot()
    await vm().run('systemctl', 'start', 'diagd')
    const shown = async (boot: number): Promise<Shown> => ({
      text: await timelineAs(vm(), boot, 'txt'),
      picture: await timelineAs(vm(), boot, 'svg'),
    })
    Object.assign(later, await shown(-1))
    Object.assign(next, await shown(0))
  })

  describe.each([
    ['in its bundle', asItWas, true],
    ['one boot later', later, false],
  ])('%s', (_, shown, isLive) => {
    test('an agent was started before what it needs was installed', () => {
      const said = finding(shown, 'agent.service was started')
      expect(said).toMatch(
        /before agent-runtime \(provision, ended at \S+ s\) had installed what it needs: 3 starts failed/,
      )
      expect(said).toMatch(/\(exit status 127, not found\), it was up at/)
      expect(row(shown, 'agent.service')).toContain('RESTARTED')
      expect(row(shown, 'provision: agent-runtime')).toContain('done')
      expect(bar(shown, 'agent.service')).toMatchObject({ status: 'restarted', isRed: true })
      expect(bar(shown, 'agent-runtime')).toMatchObject({ status: 'done', isRed: true })
    })

    test('a restart of docker took others down with it, and one of them did not come back', () => {
      const said = finding(shown, 'The restart of docker.service')
      expect(said).toContain('(during configure-docker) took down')
      const victims = { 'shipper.service': 'BindsTo=', 'watch.service': 'PartOf=', 'web.service': 'Requires=' }
      for (const [name, tie] of Object.entries(victims)) {
        // Which units are tied to which is known of those that systemd has loaded.
        expect(said).toContain(isLive ? `${name} (${tie})` : name)
        expect(bar(shown, name).isRed).toBe(true)
      }
      expect(said).toMatch(/; web\.service \(exit status 125\) did not come back\.$/)
      for (const name of ['docker.service', 'shipper.service', 'watch.service']) {
        expect(row(shown, name)).toContain('RESTARTED')
        expect(bar(shown, name).status).toBe('restarted')
      }
      expect(row(shown, 'web.service')).toContain('FAILED')
      expect(bar(shown, 'web.service').status).toBe('failed')
    })

    test('a step never ended', () => {
      expect(finding(shown, 'warm-cache (provision) began')).toMatch(
        isLive
          ? /and has not ended: modules-final\/config-scripts-user, which ran it, did at/
          : /and never ended: the boot was over/,
      )
      for (const [name, label] of [
        ['warm-cache', 'provision: warm-cache'],
        // The machine was rebooted under these.
        ...(isLive ? [] : [['images', 'provision: images'] as const, ['upgrade', 'phase: upgrade'] as const]),
      ] as const) {
        finding(shown, `${name} (`)
        expect(row(shown, label)).toContain('NEVER ENDED')
        expect(bar(shown, name)).toMatchObject({ status: 'never-ended', isRed: true })
      }
    })

    test('silence, waiting for the network', () => {
      const name = 'systemd-networkd-wait-online.service'
      expect(shown.text).toMatch(new RegExp(`^! \\d+\\.\\d s of silence: ${name} waited for the network`, 'm'))
      expect(shown.text).toMatch(new RegExp(`^Silence, .*\\n  .*; at work: ${name}$`, 'm'))
      expect(row(shown, name)).toContain('FAILED')
      expect(bar(shown, name)).toMatchObject({ status: 'failed', isRed: true })
      expect(shown.picture).toMatch(/<rect class="gap" .*>\d+\.\d s of silence<\/text>/)
    })

    test('and nothing else is said', () => {
      expect(shown.text.match(/^! /gm)).toHaveLength(isLive ? 4 : 6)
    })
  })

  test('of the boot after it nothing of the kind is said', () => {
    expect(next.text).toContain('None of the known disasters was seen')
    expect(next.picture).toContain('None of the known disasters was seen')
  })
})

/** The sentence that begins so, which text and picture have both. */
function finding({ text, picture }: Shown, begin: string): string {
  const inText = text.replaceAll(/\n {2,}/g, ' ').split('\n')
  const said = inText.find((line) => line.startsWith(`! ${begin}`))?.slice(2)
  if (said === undefined) throw new Error(`nothing begins with "${begin}" in:\n${text}`)
  const inPicture = [...picture.matchAll(/<text class="finding"[^>]*>([^<]*)</g)].map(([, line]) => line).join(' ')
  expect(inPicture.split('▲ ').map((sentence) => sentence.trim())).toContain(said)
  return said
}

/** The last line of the table with this name. */
function row({ text }: Shown, name: string): string {
  const line = text.split('\n').findLast((each) => each.trim().startsWith(`${name}  `))
  if (line === undefined) throw new Error(`no row ${name} in:\n${text}`)
  return line
}

/** The last bar with this name: its colour, and whether its name is red. */
function bar({ picture }: Shown, name: string): { status: string; isRed: boolean } {
  const bars = picture.matchAll(/<text class="(label[^"]*)"[^>]*>([^<]*)<\/text><g class="[\w-]+ ([\w-]+)">/g)
  const found = [...bars].findLast(([, , label]) => label === name)
  if (!found) throw new Error(`no bar ${name} in:\n${picture}`)
  return { status: found[3]!, isRed: found[1]!.includes('suspect') }
}
