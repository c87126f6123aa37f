import type { Kit } from '../../src/collector.ts'

/** What time daemons leave behind; asking them could start them. */
const traces = [
  '/run/systemd/timesync/synchronized',
  '/var/lib/systemd/timesync/clock',
  '/var/lib/private/systemd/timesync/clock',
  '/run/chrony/chronyd.pid',
  '/var/lib/chrony/drift',
  '/var/lib/chrony/chrony.drift',
  '/var/lib/ntpsec/ntp.drift',
  '/var/lib/ntp/ntp.drift',
  '/var/lib/ntp/drift',
]

/**
 * The clock, and what speaks for and against its being synchronised. `synchronised` is true when systemd-timesyncd
 * has said so this boot, null when nothing readable can tell (chrony and ntpd tell only who asks them).
 */
export async function clock(kit: Kit) {
  const found = await Promise.all(traces.map((path) => trace(kit, path)))
  const uptimeSeconds = Number((await kit.read('/proc/uptime'))?.split(' ')[0])
  const rtc = async (name: string) => (await kit.read(`/sys/class/rtc/rtc0/${name}`))?.trim()
  const [date, time] = [await rtc('date'), await rtc('time')]
  const source = '/sys/devices/system/clocksource/clocksource0'
  return {
    now: new Date().toISOString(),
    uptimeSeconds,
    bootTime: await bootTime(kit),
    timeZone: kit.host.timeZone,
    synchronised: found.some((piece) => piece?.path === traces[0]) ? true : null,
    evidence: found.filter((piece) => piece !== undefined),
    hardwareClock: date && time ? `${date}T${time}` : null,
    clocksource: (await kit.read(`${source}/current_clocksource`))?.trim() ?? null,
    clocksourcesAvailable: (await kit.read(`${source}/available_clocksource`))?.trim().split(/\s+/) ?? null,
  }
}

async function trace(kit: Kit, path: string) {
  const stat = await kit.stat(path)
  if (!stat) return undefined
  const content = stat.sizeBytes > 0 && stat.sizeBytes < 256 ? (await kit.read(path))?.trim() : undefined
  return { path, modified: new Date(stat.mtimeMs).toISOString(), content }
}

async function bootTime(kit: Kit): Promise<string | null> {
  const seconds = /^btime (\d+)$/m.exec((await kit.read('/proc/stat', 4 << 20)) ?? '')?.[1]
  return seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString()
}
