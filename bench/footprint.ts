/**
 * What the installed diagd costs while nothing happens: on disk, at the start, in processor time and memory. From the
 * package, on a test machine; and the same program and the checkout beside each other on this machine.
 */
import { execa } from 'execa'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { property } from '../test/system/harness/diagd.ts'
import { startDaemon } from './daemon.ts'
import { idleRows } from './idle.ts'
import { spread, type Row } from './table.ts'
import { onTestMachine, type TestMachine } from './test-machine.ts'

const STARTS = 9
const INSTALLATIONS = 3

export function footprintRows(): Promise<Row[]> {
  return onTestMachine('footprint', {}, async (machine) => {
    const { vm, deb, folder } = machine
    const here = await commandsHere(deb, folder)
    return [
      ...(await sizes(machine)),
      await installation(machine),
      await starts(vm),
      await startsHere(here, folder),
      ...(await idleRows(vm, here, folder)),
    ]
  })
}

async function sizes({ vm, deb }: TestMachine): Promise<Row[]> {
  const kib = Number(await vm.run('dpkg-query', '--show', '--showformat=${Installed-Size}', 'diagd'))
  const files = (await vm.sh('dpkg --listfiles diagd | xargs stat --format=%F | grep -c regular')).trim()
  const [node, total] = [(await vm.run('stat', '--format=%s', '/usr/lib/diagd/node')).trim(), (await stat(deb)).size]
  return [
    { what: 'the package, amd64', measured: `${(total / 1e6).toFixed(1)} MB`, beside: '' },
    {
      what: 'installed size',
      measured: `${(kib / 1024).toFixed(1)} MiB, ${files} files`,
      beside: `Node alone: ${(Number(node) / 2 ** 20).toFixed(1)} MiB`,
    },
  ]
}

async function installation({ vm }: TestMachine): Promise<Row> {
  const seconds: number[] = []
  for (let round = 0; round < INSTALLATIONS; round++) {
    await vm.run('dpkg', '--purge', 'diagd')
    const began = performance.now()
    await vm.run('dpkg', '--install', '/opt/diagd.deb')
    seconds.push((performance.now() - began) / 1000)
  }
  return {
    what: `dpkg -i on the test machine, service started, median of ${INSTALLATIONS}`,
    measured: spread(seconds, 's', 2),
    beside: '≤ 5 s',
  }
}

async function starts(vm: TestMachine['vm']): Promise<Row> {
  const notified: number[] = []
  for (let round = 0; round < STARTS; round++) notified.push(await restart(vm))
  return {
    what: `READY=1 after exec, service on the test machine, median of ${STARTS}`,
    measured: spread(notified, 'ms'),
    beside: '≤ 400 ms',
  }
}

async function startsHere(commands: Commands, folder: string): Promise<Row> {
  const [release, checkout]: [number[], number[]] = [[], []]
  for (let round = 0; round < STARTS; round++) {
    for (const [command, times] of [
      [commands.release, release],
      [commands.checkout, checkout],
    ] as const) {
      const daemon = await startDaemon(command, join(folder, 'start'))
      times.push(daemon.listeningMs)
      await daemon.stop()
    }
  }
  return {
    what: `listening after exec, the release on this machine, median of ${STARTS}`,
    measured: spread(release, 'ms'),
    beside: `checkout: ${spread(checkout, 'ms')}`,
  }
}

/** Milliseconds from exec to READY=1, as systemd saw them. */
async function restart(vm: TestMachine['vm']): Promise<number> {
  await vm.run('systemctl', 'restart', 'diagd')
  const { ExecMainStartTimestampMonotonic: exec, ActiveEnterTimestampMonotonic: ready } = await property(
    vm,
    'ExecMainStartTimestampMonotonic',
    'ActiveEnterTimestampMonotonic',
  )
  return (Number(ready) - Number(exec)) / 1000
}

export interface Commands {
  readonly release: readonly string[]
  readonly checkout: readonly string[]
}

/** The release as /usr/bin/diagd starts it, and the sources as they are. */
export async function commandsHere(deb: string, folder: string): Promise<Commands> {
  const tree = join(folder, 'tree')
  await execa('dpkg-deb', ['--extract', deb, tree])
  const command = join(tree, 'usr/bin/diagd')
  await writeFile(command, (await readFile(command, 'utf8')).replaceAll('/usr/lib/', `${tree}/usr/lib/`))
  return { release: [command], checkout: [process.execPath, join(import.meta.dirname, '../src/cli.ts')] }
}
