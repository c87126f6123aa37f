/** An engine's own log, wherever it goes, through the kit. */
import type { Kit } from '../../src/collector.ts'
import type { Surroundings } from './docker-environment.ts'
import { userUnitOf } from './docker-process.ts'

/** Lines asked of the journal: with what is near failures, within what a run may answer (4 MiB). */
const journalLines = 5000
/** A file is read from its start; the log of an engine that only just began is far smaller. */
const fileBytes = 8 << 20
const usualFiles = ['/var/log/dockerd.log', '/tmp/dockerd.log', '/var/log/docker.log']

export interface EngineLog {
  /** Where it was found, in words. */
  readonly from: string
  readonly text: string
}

/** undefined where there is none. The whole log is in docker/logs. */
export async function engineLog(kit: Kit, { process }: Surroundings): Promise<EngineLog | undefined> {
  if (process && process.uid !== 0) return logOfUser(kit, process.cgroup)
  const unit = /([^/]+\.service)$/.exec(process?.cgroup ?? '')?.[1] ?? 'docker.service'
  const own = process?.log?.startsWith('/') && process.log !== '/dev/null' ? [process.log] : []
  const ofUnit = process === undefined || process.cgroup.endsWith('.service')
  const journal = own.length === 0 && ofUnit ? await fromJournal(kit, unit, ['-u', unit]) : undefined
  return journal ?? fromFile(kit, [...own, ...usualFiles])
}

/** Never a file: a user's engine could point anywhere, and the usual ones are of root's. */
async function logOfUser(kit: Kit, cgroup: string): Promise<EngineLog | undefined> {
  const found = userUnitOf(cgroup)
  if (!found) return undefined
  const matches = [`_SYSTEMD_OWNER_UID=${found.uid}`, `_SYSTEMD_USER_UNIT=${found.unit}`]
  return fromJournal(kit, `${found.unit} of user ${found.uid}`, matches)
}

async function fromJournal(kit: Kit, name: string, matches: readonly string[]): Promise<EngineLog | undefined> {
  if (!kit.host.systemd || (await kit.missing({ command: 'journalctl' })) !== undefined) return undefined
  const asked = await kit.run`journalctl --quiet --no-pager -o cat -n ${journalLines} ${matches}`.catch(() => undefined)
  return asked?.stdout
    ? { from: `the journal of ${name}, its last ${journalLines} lines`, text: asked.stdout }
    : undefined
}

async function fromFile(kit: Kit, paths: readonly string[]): Promise<EngineLog | undefined> {
  for (const path of paths) {
    const text = await kit.read(path, fileBytes)
    if (!text) continue
    const facts = await kit.stat(path)
    const cut = (facts?.sizeBytes ?? 0) > fileBytes ? `, only its first 8 MiB of ${facts!.sizeBytes} B` : ''
    return { from: path + cut, text }
  }
  return undefined
}

/** What follows is systemd's, or a script's, that sees it end. */
const linesAfterFailure = 20

/** Why an engine that does not run did not start, when that is the last thing its log tells. */
export function failedStart({ process }: Surroundings, log: EngineLog | undefined): string | undefined {
  if (process || !log) return undefined
  const last = log.text.trimEnd().split('\n').slice(-linesAfterFailure)
  return last.map((line) => /failed to start daemon: (.*)$/.exec(line)?.[1]).findLast((reason) => reason !== undefined)
}

/** gRPC tells each of its connections, containerd each of its plugins: four lines of five, and none explains a failure. */
const chatter = /^time="[^"]*" level=(?:info|debug) .*(?: module=grpc$|msg="loading plugin )/

/** The last lines, where they are from, and how many of chatter are left out. */
export function tailOf(log: EngineLog | undefined, count: number): string[] {
  if (!log) return []
  const all = log.text.trimEnd().split('\n')
  const telling = all.filter((line) => !chatter.test(line))
  return [
    `(${log.from}; without ${all.length - telling.length} lines about connections and plugins)`,
    ...telling.slice(-count),
  ]
}
