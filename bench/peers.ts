/**
 * diagd beside sos of Debian, on one test machine with something to find: a journal of more than 100 MB, containers, rules of
 * nftables and iptables, a failed unit, and planted secrets. BENCH_KEEP names a folder for the last archives.
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { get } from '../test/system/harness/diagd.ts'
import { plantSecrets } from '../test/system/harness/plant.ts'
import { fallSick, newFacts, sickRoot } from '../test/system/harness/sick-machine.ts'
import type { Vm } from '../test/system/harness/vm.ts'
import { contentsOf, type Contents } from './contents.ts'
import { writeLogs } from './logs.ts'
import { fetchSos, installSos } from './sos.ts'
import { median, type Row } from './table.ts'
import { onTestMachine } from './test-machine.ts'
import { costOf, type Cost } from './unit-cost.ts'
import { rootOf } from './unit-group.ts'

const ROUNDS = 3
/** As text; the files of the journal are larger. */
const JOURNAL_BYTES = 40e6
const OUT = '/root/peers'

interface Peer {
  readonly name: string
  /** Whose processes do the work. */
  readonly unit: string
  prepare(): Promise<unknown>
  run(): Promise<unknown>
  /** What the last run made, a path of the host. */
  archive(): string
}

interface Measured {
  readonly costs: Cost[]
  bytes: number
  contents?: Contents
}

export async function peersRows(): Promise<Row[]> {
  const [planted, facts] = [plantSecrets(), newFacts()]
  const root = sickRoot(planted, facts)
  const files = { ...root.files, '/etc/systemd/journald.conf.d/bench.conf': '[Journal]\nRateLimitIntervalSec=0\n' }
  return onTestMachine('peers', { ...root, files }, async ({ vm, folder }) => {
    await fallSick(vm, planted, facts)
    await fillJournal(vm, folder)
    await vm.sh('systemctl start bench.slice')
    const peers = [...(await sosPeers(vm, folder)), collectPeer(vm), await servicePeer(vm, folder)]
    const measured = await inTurn(vm, peers, folder, (text) => planted.shownIn([['archive', text]]).length)
    const journal = /take up ([\d.]+\w)/.exec(await vm.run('journalctl', '--disk-usage'))![1]!
    return [
      { what: 'the machine', measured: `${journal} of journal, ${planted.size} planted secrets`, beside: '' },
      ...peers.flatMap(({ name }) => rowsOf(name, measured.get(name)!)),
    ]
  })
}

async function fillJournal(vm: Vm, folder: string): Promise<void> {
  const file = join(folder, 'journal.txt')
  writeLogs(file, JOURNAL_BYTES, 1)
  await vm.feed(readFileSync(file), 'systemd-cat', '--identifier=app')
  await vm.run('journalctl', '--sync')
}

async function sosPeers(vm: Vm, folder: string): Promise<Peer[]> {
  return (await fetchSos(join(folder, 'sos'))).map((sos) => ({
    name: `sos ${sos.version}`,
    unit: 'bench.slice',
    prepare: () => installSos(vm, sos),
    run: () => inSlice(vm, 'sos', 'report', '--batch', '--tmp-dir', OUT),
    archive: () => archiveIn(vm),
  }))
}

/** 3: with something in it that is late or short, as it may well be. */
function collectPeer(vm: Vm): Peer {
  return {
    name: 'diagd collect, as root',
    unit: 'bench.slice',
    prepare: async () => {},
    run: () => inSlice(vm, 'sh', '-c', `diagd collect --output ${OUT}/bundle.tar.gz || [ $? = 3 ]`),
    archive: () => archiveIn(vm),
  }
}

async function servicePeer(vm: Vm, folder: string): Promise<Peer> {
  const credential = await vm.run('cat', '/etc/diagd/admin.header')
  const download = join(folder, 'download.tar.gz')
  return {
    name: 'diagd.service over HTTP',
    unit: 'diagd.service',
    prepare: async () => {},
    run: () => get(vm, '/debug-package', credential, ['--output', download]),
    archive: () => download,
  }
}

function archiveIn(vm: Vm): string {
  const folder = join(rootOf(vm), OUT)
  return join(
    folder,
    readdirSync(folder).find((name) => /\.tar\.[gx]z$/.test(name))!,
  )
}

const inSlice = (vm: Vm, ...command: string[]) =>
  vm.run('systemd-run', '--quiet', '--wait', '--collect', '--slice=bench.slice', ...command)

async function inTurn(vm: Vm, peers: readonly Peer[], folder: string, secretsIn: (text: string) => number) {
  const kept = process.env['BENCH_KEEP'] ?? join(folder, 'archives')
  mkdirSync(kept, { recursive: true })
  const measured = new Map<string, Measured>(peers.map(({ name }) => [name, { costs: [], bytes: 0 }]))
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { name, unit, prepare, run, archive } of peers) {
      await vm.sh(`rm -rf ${OUT}; mkdir -m 700 ${OUT}`)
      await prepare()
      const result = measured.get(name)!
      result.costs.push(await costOf(vm, unit, OUT, run))
      if (round < ROUNDS) continue
      const file = join(kept, name.replaceAll(/[^\w.]+/g, '-'))
      copyFileSync(archive(), file)
      result.bytes = statSync(file).size
      result.contents = await contentsOf(file, secretsIn)
    }
  }
  return measured
}

function rowsOf(name: string, { costs, bytes, contents }: Measured): Row[] {
  const middle = (pick: (cost: Cost) => number) => median(costs.map(pick))
  const megabytes = (count: number) => `${(count / 1e6).toFixed(1)} MB`
  return [
    {
      what: `${name}, median of ${costs.length}`,
      measured: `${middle(({ seconds }) => seconds).toFixed(1)} s, ${middle(({ cpuSeconds }) => cpuSeconds).toFixed(1)} s of processor time`,
      beside:
        `at most ${middle(({ peakResidentMiB }) => peakResidentMiB).toFixed(0)} MiB RSS, ` +
        `${middle(({ peakAnonymousMiB }) => peakAnonymousMiB).toFixed(0)} of it anonymous; ` +
        `${megabytes(middle(({ peakDiskBytes }) => peakDiskBytes))} on disk at once, archive included`,
    },
    {
      what: `${name}, its archive`,
      measured: `${megabytes(bytes)}, ${contents!.files} files of ${megabytes(contents!.bytes)}`,
      beside: `${contents!.secrets} planted secrets readable`,
    },
  ]
}
