import type { Artifact, Collector, Kit } from '../src/collector.ts'
import { endInWtmp, endOfJournal, type Ending } from './lib/boot-end.ts'
import { bootPlot, plotProperties, startProperties } from './lib/boot-plot.ts'
import { askSystemd, type SystemdAnswers } from './lib/boot-timeline/ask.ts'
import { listedBoots, timelineOf } from './lib/boot-timeline/of-boot.ts'
import { timelineSvg } from './lib/boot-timeline/svg.ts'
import { timelineText } from './lib/boot-timeline/text.ts'
import { type Boot, previousBoot } from './lib/journal-boots.ts'
import { journalLacks } from './lib/journal-files.ts'
import { once } from './lib/proc-text.ts'

export default {
  title: 'Boots: this one, those before it and how the last one ended, what took the time',
  tier: 'facts',
  async *collect(kit) {
    const boots = await listedBoots(kit)
    const previous = previousBoot(boots, kit.host.bootId)
    yield kit.json('boot.json', () => thisBoot(kit))
    const systemd = once(() => askSystemd(kit, { manager: startProperties, units: plotProperties }))
    const noBoot = previous ? '' : ((await journalLacks(kit)) ?? 'the journal holds no previous boot')
    yield kit.text('previous-boot.txt', () => endings(kit, previous, noBoot))
    yield* timelines(kit, boots, previous, systemd)
    yield kit.command`journalctl --list-boots --no-pager --utc`.as('list-boots.txt').needs({ command: 'journalctl' })
    yield kit.command`last -x -F -n 200`.as('last.txt').needs({ command: 'last', file: '/var/log/wtmp' })
    if (previous) yield kit.journal({ boot: previous.id, lastLines: 300 }).as('previous-boot-end.log')
    else yield kit.skipped('previous-boot-end.log', noBoot)
    yield* systemdAnalyses(kit)
    if (kit.host.systemd) yield kit.text('start-plot.svg', () => plot(systemd)).in('state')
    yield* cloudInitAnalyses(kit)
  },
} satisfies Collector

/** This boot as table, picture and data from one look; of the previous one the table. */
function* timelines(
  kit: Kit,
  boots: readonly Boot[],
  previous: Boot | undefined,
  systemd: () => Promise<SystemdAnswers>,
): Generator<Artifact> {
  const own = boots.find(({ id }) => id === kit.host.bootId.replaceAll('-', ''))
  const made = once(() => timelineOf(kit, own, systemd))
  yield kit.text('timeline.txt', async () => timelineText(await made()))
  yield kit.text('timeline.svg', async () => timelineSvg(await made()))
  yield kit.json('timeline.json', () => made())
  if (!previous) return
  yield kit.text('previous-timeline.txt', async () => timelineText(await timelineOf(kit, previous, systemd)))
}

async function* systemdAnalyses(kit: Kit): AsyncGenerator<Artifact> {
  const reason = kit.host.systemd ? await kit.missing({ command: 'systemd-analyze' }) : 'PID 1 is not systemd'
  if (reason !== undefined) {
    yield kit.skipped('systemd-analyze.txt', reason)
    return
  }
  yield kit.command`systemd-analyze time --no-pager`.as('systemd-analyze-time.txt')
  yield kit.command`systemd-analyze blame --no-pager`.as('systemd-analyze-blame.txt').in('state')
  yield kit.command`systemd-analyze critical-chain --no-pager`.as('systemd-analyze-critical-chain.txt').in('state')
}

async function plot(systemd: () => Promise<SystemdAnswers>): Promise<string> {
  const { manager, units } = await systemd()
  return bootPlot(manager, units)
}

async function* cloudInitAnalyses(kit: Kit): AsyncGenerator<Artifact> {
  const reason = await kit.missing({ command: 'cloud-init', file: '/var/log/cloud-init.log' })
  if (reason !== undefined) {
    yield kit.skipped('cloud-init-analyze.txt', reason)
    return
  }
  yield kit.command`cloud-init analyze show`.as('cloud-init-analyze-show.txt').in('state')
  yield kit.command`cloud-init analyze blame`.as('cloud-init-analyze-blame.txt').in('state')
}

async function thisBoot(kit: Kit): Promise<unknown> {
  const bootTime = /^btime (\d+)$/m.exec((await kit.read('/proc/stat')) ?? '')?.[1]
  const uptime = /^[\d.]+/.exec((await kit.read('/proc/uptime')) ?? '')?.[0]
  return {
    bootId: kit.host.bootId,
    bootTime: bootTime === undefined ? null : new Date(Number(bootTime) * 1000).toISOString(),
    uptimeSeconds: uptime === undefined ? null : Number(uptime),
    kernel: (await kit.read('/proc/sys/kernel/osrelease'))?.trim() ?? null,
    commandLine: (await kit.read('/proc/cmdline'))?.trim() ?? null,
  }
}

/** Three witnesses, which may disagree: then somebody should look at what they saw. */
async function endings(kit: Kit, previous: Boot | undefined, noBoot: string): Promise<string> {
  const title = previous
    ? `Previous boot ${previous.id}, last heard of ${new Date(previous.lastMs).toISOString()}`
    : 'Previous boot: not in the journal'
  return [
    title,
    `  journal  ${said(previous ? await ofJournal(kit, previous) : unknown(noBoot))}`,
    `  wtmp     ${said(await ofWtmp(kit))}`,
    `  pstore   ${await ofPstore(kit)}`,
    '',
  ].join('\n')
}

const said = ({ verdict, evidence }: Ending): string =>
  evidence === undefined ? verdict : `${verdict}\n             ${evidence.trim()}`

const unknown = (reason: string): Ending => ({ verdict: `unknown: ${reason}`, evidence: undefined })

async function ofPstore(kit: Kit): Promise<string> {
  const crashes = (await kit.glob('/sys/fs/pstore/*', '/var/lib/systemd/pstore/**')).length
  if (crashes > 0) return `${crashes} CRASH RECORDS of the kernel (crash/)`
  const open = ((await kit.stat('/sys/fs/pstore'))?.mode ?? 0o005) & 0o005
  if (kit.host.uid !== 0 && open !== 0o005) return 'unknown: /sys/fs/pstore is open to root only'
  return 'no crash record of the kernel'
}

async function ofJournal(kit: Kit, previous: Boot): Promise<Ending> {
  try {
    const { stdout } = await kit.run`journalctl --quiet --no-pager --utc -o short-iso -b ${previous.id} -n 300`
    return endOfJournal(stdout)
  } catch (error) {
    return unknown(String(error))
  }
}

async function ofWtmp(kit: Kit): Promise<Ending> {
  const missing = await kit.missing({ command: 'last', file: '/var/log/wtmp' })
  if (missing !== undefined) return unknown(missing)
  try {
    return endInWtmp((await kit.run`last -x -F -n 40 reboot shutdown`).stdout)
  } catch (error) {
    return unknown(String(error))
  }
}
