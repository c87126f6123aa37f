import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import processes from '../../collectors/processes.ts'
import { described, fakeCommands, fixture, testKit } from '../helpers/kit.ts'

const root = fixture('collectors-2', 'vm')
const look = async () => described(processes, testKit({ root }))
const rowOf = (text: unknown, part: string) =>
  String(text)
    .split('\n')
    .find((line) => line.includes(part)) ?? ''

describe('tree.txt', () => {
  test('indents children under their parents', async () => {
    const text = String(await (await look()).value('tree.txt'))
    const lines = text.split('\n').slice(4)
    const start = lines[0]!.indexOf('/sbin/init')
    expect(lines.slice(0, 4).map((line) => line.slice(start))).toEqual([
      '/sbin/init',
      '  nginx: master process /usr/sbin/nginx -g daemon on;',
      '    nginx: worker process',
      '    [defunct-job]',
    ])
  })

  test('shows owner, state, CPU, memory, start in UTC and control group', async () => {
    // 950 s of CPU in the 9949.9 s since its start, 50.10 s after the boot at 1790000000.
    const row = rowOf(await (await look()).value('tree.txt'), 'worker process')
    expect(row.trim().split(/\s{2,}/)).toEqual([
      '701',
      '700',
      'www-data',
      'S',
      '1',
      '9.5%',
      '00:15:50.00',
      '300 MiB',
      '-',
      new Date(1790000050100).toISOString(),
      '/system.slice/nginx.service',
      'nginx: worker process',
    ])
  })

  test('keeps a process on one line, whatever is in its arguments', async () => {
    expect(rowOf(await (await look()).value('tree.txt'), '/usr/bin/tar')).toMatch(
      /tar -cf \/mnt\/nfs\/a b\.tar \/srv\\nx$/,
    )
  })

  test('cuts the id of a container to twelve digits', async () => {
    expect(rowOf(await (await look()).value('tree.txt'), '/usr/bin/tar')).toContain(
      '/system.slice/docker-ab12ab12ab12.scope ',
    )
  })

  test('counts the states', async () => {
    expect(await (await look()).value('tree.txt')).toMatch(
      /^7 processes \(4 sleeping, 1 idle, 1 in uninterruptible sleep, 1 zombie\), 8 threads/,
    )
  })

  test('lists a process whose parent is gone, and one that ended while it was read not at all', async () => {
    const copy = await copyOfRoot()
    await rm(join(copy, 'proc/700'), { recursive: true })
    await rm(join(copy, 'proc/900/stat'))
    const text = await (await described(processes, testKit({ root: copy }))).value('tree.txt')
    expect(text).toContain('nginx: worker process')
    expect(text).not.toContain('defunct-job')
  })
})

describe('processes.json', () => {
  test('is an array with one process a line', async () => {
    const text = String(await (await look()).value('processes.json'))
    const lines = text.split('\n').filter((line) => line.startsWith('{'))
    expect(JSON.parse(text)).toHaveLength(7)
    expect(lines).toHaveLength(7)
  })

  test('names attributes as OpenTelemetry does and units in the names', async () => {
    const all = JSON.parse(String(await (await look()).value('processes.json'))) as Record<string, unknown>[]
    expect(all.find((process) => process['process.pid'] === 812)).toEqual({
      'process.pid': 812,
      'process.parent_pid': 1,
      'process.owner': '1001',
      'process.user.id': 1001,
      'process.command_args': ['/usr/bin/tar', '-cf', '/mnt/nfs/a b.tar', '/srv\nx'],
      'process.creation.time': new Date(1790005000000).toISOString(),
      'process.linux.cgroup': `/system.slice/docker-${'ab12'.repeat(16)}.scope`,
      comm: 'backup (nightly)',
      state: 'D',
      kernelThread: false,
      threads: 2,
      cpuTimeMs: 0,
      rssBytes: 9000 * 1024,
      swapBytes: 51200 * 1024,
    })
  })
})

describe('top.txt', () => {
  const section = (text: unknown, title: string) =>
    String(text)
      .split('\n\n')
      .find((part) => part.startsWith(title)) ?? ''

  test('sorts each list with the greediest first', async () => {
    const text = await (await look()).value('top.txt')
    expect(section(text, 'By CPU time').split('\n')[2]).toMatch(/00:15:50\.00\s+9\.5%\s+701/)
    expect(section(text, 'By memory').split('\n')[2]).toMatch(/300 MiB\s+15\.0%\s+701/)
    expect(section(text, 'By block I/O').split('\n')[2]).toMatch(/5\.00 GiB\s+3\.00 MiB\s+812/)
    expect(section(text, 'By swap').split('\n')[2]).toMatch(/50\.0 MiB\s+812/)
    expect(section(text, 'By threads').trimEnd().split('\n')).toHaveLength(3)
  })

  test('says what there is none of, and over which time the CPU was measured', async () => {
    expect(await (await look()).value('top.txt')).toMatch(
      /By CPU now: used in the \d+\.\d\d s after the tree was read; 100% is one of 2 CPUs: none/,
    )
  })

  test('shows who uses the CPU now, and never takes a new process for the one whose pid it got', async () => {
    const copy = await copyOfRoot()
    const [worker, master] = [join(copy, 'proc/701/stat'), join(copy, 'proc/700/stat')]
    // While the collector waits, 701 uses 500 s of CPU, and 700 is another process with 900 s.
    const sleep = `sed -i 's/ 90000 5000 / 140000 5000 /' '${worker}'; sed -i 's/ 0 0 0 0 20 0 1 0 5000 / 90000 0 0 0 20 0 1 0 5001 /' '${master}'`
    const kit = testKit({ root: copy, bin: await fakeCommands({ sleep }) })
    const rows = section(await (await described(processes, kit)).value('top.txt'), 'By CPU now')
      .split('\n')
      .slice(2)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatch(/%\s+701\s+www-data/)
    expect(await readFile(master, 'utf8')).toContain(' 90000 ')
  })

  test('counts the processes whose I/O may not be read', async () => {
    const copy = await copyOfRoot()
    await rm(join(copy, 'proc/701/io'))
    const text = await (await described(processes, testKit({ root: copy }))).value('top.txt')
    expect(text).toContain('not readable without root: 2 processes') // a zombie has none either
  })
})

describe('open-files.txt', () => {
  test('shows who is nearest to its limit first, not who has the most', async () => {
    const copy = await copyOfRoot()
    for (let fd = 0; fd < 40; fd += 1) await writeFile(join(copy, `proc/1/fd/${fd}`), '')
    const kit = testKit({ root: copy })
    const rows = String(await (await described(processes, kit)).value('open-files.txt')).split('\n')
    expect(rows[5]).toMatch(/4%\s+40\s+1024\s+1\s+root/)
    expect(rows[4]).toMatch(/80%\s+24\s+30\s+701\s+www-data\s+nginx: worker process/)
  })

  test('leaves out who has few, and does not read their limits', async () => {
    const read: string[] = []
    const kit = testKit({ root })
    const watched = { ...kit, read: (path: string, most?: number) => (read.push(path), kit.read(path, most)) }
    expect(await (await described(processes, watched)).value('open-files.txt')).not.toContain('/sbin/init')
    expect(read.filter((path) => path.endsWith('/limits'))).toEqual(['/proc/701/limits'])
  })

  test('shows the limits of the whole system', async () => {
    expect(await (await look()).value('open-files.txt')).toContain(
      'Whole system: 1234 open files of at most 9223372036854775807; 8 threads of at most 15000, pids below 4194304.',
    )
  })
})

describe('blocked.txt', () => {
  test('shows what a thread in uninterruptible sleep waits for', async () => {
    const text = String(await (await look()).value('blocked.txt'))
    expect(text).toContain('pid 812 tid 812 (backup (nightly))')
    expect(text).toContain('wchan    rpc_wait_bit_killable')
    expect(text).toContain('nfs_write_begin+0x33/0x120 [nfs]')
    expect(text).not.toContain('tid 813')
  })

  test('shows a zombie with the parent that should reap it', async () => {
    expect(rowOf(await (await look()).value('blocked.txt'), 'defunct-job')).toMatch(
      /900\s+defunct-job\s+700\s+nginx: master/,
    )
  })

  test('says so where the stack may not be read', async () => {
    const copy = await copyOfRoot()
    await rm(join(copy, 'proc/812/task/812/stack'))
    const text = await (await described(processes, testKit({ root: copy }))).value('blocked.txt')
    expect(text).toContain('stack    not readable')
  })
})

async function copyOfRoot(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'diagd-processes-'))
  onTestFinished(() => rm(copy, { recursive: true, force: true }))
  await cp(root, copy, { recursive: true })
  return copy
}
