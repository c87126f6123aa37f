/**
 * A container that is driven into its limit, one that gets less CPU time than it wants, and a disk that fills up: in the numbers that are
 * served, in the database of a bundle, in its table and its picture. The machine's own /proc shows the numbers of the host here: what is
 * asserted is of its containers, mounts and boots.
 */
import { beforeAll, expect, test, vi } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { fetchBundle, openBundle, type Bundle } from './harness/diagd.ts'
import { LOCAL_DOOR, withDatabase } from './harness/recorded.ts'
import type { Vm } from './harness/vm.ts'

const options = {
  copies: { '/opt/image/bin/busybox': '/bin/busybox' },
  files: {
    '/etc/systemd/system/diagd.service.d/test.conf': '[Service]\nEnvironment="DIAGD_METRICS={interval: 1s}"\n',
  },
}

/** 20 MiB, of which 19 are written. */
const FULL = '/srv/full'
const PATIENCE = { timeout: 60_000, interval: 500 }

describeVm('a machine under load', options, (vm) => {
  let bundle: Bundle
  let ids: Ids

  beforeAll(async () => {
    ids = await load(vm())
    await vi.waitFor(async () => expect(await served(vm(), ids)).toEqual(SERVED), PATIENCE)
    // What is served is read when it is asked for; what is kept comes with the next sample.
    const KEPT = { wasKilled: true, used: 19 * 2 ** 20, drawn: true }
    await vi.waitFor(async () => expect(await kept(vm(), ids.burner)).toEqual(KEPT), PATIENCE)
    bundle = await fetchBundle(vm(), '?only=metrics')
  })

  test('the database of a bundle has it, sample by sample', () => {
    expect(look(bundle, ids)).toEqual({
      hog: { killed: true, rose: true, limitMib: 32 },
      burner: { throttled: true, cpuLimit: 0.1 },
      full: { first: 0, last: 95 },
    })
  })

  /** As it is called: by its name, or as long as nobody told that, by its id. */
  const called = (name: keyof Ids) => `(?:${name}|${ids[name]})`

  test('table and summary say what went wrong', () => {
    const table = bundle.text('metrics/overview.txt')
    expect(table).toMatch(
      new RegExp(`^! Out of memory in container ${called('hog')}: \\d+ process(?:es were| was) killed, `, 'm'),
    )
    expect(table).toMatch(/^! Disk \/srv\/full, space used: 9\d % at \d\d:\d\d, /m)
    expect(table).toMatch(/^(?:Disk space| +) +\/srv\/full .* 95 %  \d\d:\d\d$/m)
    expect(table).toMatch(new RegExp(`^(?:Container CPU| +) +${called('burner')} +`, 'm'))
    // The host may have killed something of its own meanwhile, and that comes first.
    expect(bundle.text('summary.txt')).toMatch(
      new RegExp(`^(?:measured)? +Out of memory in container ${called('hog')}: `, 'm'),
    )
  })

  test('the picture shows it in red', () => {
    const svg = bundle.text('metrics/overview.svg')
    const panel = (id: string) => svg.split(`<g id="${id}">`)[1]!.split('<g id=')[0]!
    expect(panel('container-memory')).toMatch(new RegExp(`<title>${called('hog')}: \\d+ OOM kills`))
    expect(panel('container-cpu')).toMatch(new RegExp(`>${called('burner')}<`))
    expect(panel('space')).toContain(`>${FULL}<`)
    expect(svg.match(/<path class="hot"/g)!.length).toBeGreaterThanOrEqual(2)
  })

  test('beside the daemon, and beside a dead one, a bundle has the same', async () => {
    const collected = async () =>
      openBundle(await vm().output('bash', '-c', 'diagd collect --only metrics -o - || [ $? = 3 ]'))
    const through = await collected()
    await vm().sh('systemctl stop diagd')
    const alone = await collected()
    await vm().sh('systemctl start diagd')
    for (const one of [through, alone]) {
      expect(look(one, ids)).toEqual(look(bundle, ids))
      expect(one.text('metrics/overview.txt')).toContain('! Out of memory in container ')
    }
    expect(origin(through)).toBe('unix:/run/diagd/diagd.sock /metrics/export')
    expect(origin(alone)).toBe('/var/lib/diagd/metrics.db')
  })

  test('a reboot is a mark: between its numbers is nothing, and the picture says why', async () => {
    await vm().reboot()
    await vm().run('systemctl', 'start', 'diagd')
    await vi.waitFor(async () => expect(await marks(vm())).toContain('boot'), PATIENCE)
    const after = await fetchBundle(vm(), '?only=metrics')
    const boots = withDatabase(after.files.get('metrics/metrics.db')!, (db) =>
      db.prepare('SELECT count(DISTINCT boot_id) FROM host').pluck().get(),
    )
    expect(boots).toBe(2)
    expect(after.text('metrics/overview.txt')).toMatch(/^- Booted: .*at \d\d:\d\d$/m)
    expect(after.text('metrics/overview.svg')).toMatch(/<path class="v boot" d="M[\d.]+ [\d.]+V[\d.]+">/)
  })
})

/** The hog is killed again and again, and the shell that starts it stays. */
async function load(vm: Vm): Promise<Ids> {
  const run = 'docker run --detach --init --network none'
  await vm.sh(`mkdir -p ${FULL}; mount -t tmpfs -o size=20m tmpfs ${FULL}
for name in sh tail dd; do ln -s busybox /opt/image/bin/$name; done
tar -C /opt/image -c . | docker import - busybox
${run} --name hog --memory 32m --memory-swap 32m busybox sh -c 'while :; do tail /dev/zero; done'
${run} --name burner --cpus 0.1 busybox sh -c 'while :; do :; done'`)
  await vi.waitFor(async () => expect((await kept(vm)).used).toBe(0), PATIENCE)
  await vm.sh(`dd if=/dev/zero of=${FULL}/ballast bs=1M count=19`)
  const id = async (name: string) => (await vm.run('docker', 'inspect', '--format={{.Id}}', name)).slice(0, 12)
  return { hog: await id('hog'), burner: await id('burner') }
}

/** The first 12 digits. */
type Ids = Readonly<Record<'hog' | 'burner', string>>

const ask = (vm: Vm, path: string) => vm.run('curl', ...LOCAL_DOOR, `http://localhost${path}`)

const SERVED = { oom: true, throttled: true, available: 1024 * 1024 }

/** As Prometheus would read it. */
async function served(vm: Vm, { hog, burner }: Ids) {
  const text = await ask(vm, '/metrics')
  const value = (metric: string, label: string) =>
    Number(new RegExp(`^${metric}\\{[^}]*${label}[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1])
  return {
    oom: value('container_oom_events_total', `container_id="${hog}"`) > 0,
    throttled: value('container_cpu_cfs_throttled_periods_total', `container_id="${burner}"`) > 0,
    available: value('node_filesystem_avail_bytes', `mountpoint="${FULL}"`),
  }
}

/** The newest of what a bundle would have. */
async function kept(vm: Vm, limited?: string) {
  const query = 'columns=container.oom_kills,container.cpu_limit,mount.used_bytes&since=10m&step=1s&things=100'
  const { series } = JSON.parse(await ask(vm, `/metrics/range?${query}`)) as { series: Series[] }
  const full = series.find(({ labels }) => labels['mountpoint'] === FULL)
  return {
    wasKilled: series.some(({ columns }) => columns['oom_kills']?.max.some((count) => (count ?? 0) > 0)),
    used: full?.columns['used_bytes']!.max.at(-1),
    // Its rates begin with its second sample, and a line in the picture with two of them.
    drawn: series.some(({ labels, columns }) => labels['id'] === limited && limits(columns) > 2),
  }
}

const limits = (columns: Series['columns']) => columns['cpu_limit']?.max.filter((limit) => limit !== null).length ?? 0

interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly columns: Readonly<Record<string, { readonly max: readonly (number | null)[] }>>
}

async function marks(vm: Vm): Promise<string[]> {
  const { marks: all } = JSON.parse(await ask(vm, '/metrics/range?since=1h')) as { marks: { kind: string }[] }
  return all.map(({ kind }) => kind)
}

function look({ files }: Bundle, ids: Ids) {
  return withDatabase(files.get('metrics/metrics.db')!, (db) => {
    const row = (select: string, id: string) =>
      db.prepare(`SELECT ${select} FROM container WHERE id = ?`).get(id) as Record<string, number>
    const most = 'max(memory_working_set_bytes) AS most, max(memory_limit_bytes) AS bound'
    const hog = row(`sum(oom_kills) AS killed, ${most}`, ids.hog)
    const burner = row('max(cpu_throttled_percent) AS throttled, max(cpu_limit) AS bound', ids.burner)
    const full = db
      .prepare(`SELECT round(100.0 * used_bytes / size_bytes) FROM mount WHERE mountpoint = ? ORDER BY sample`)
      .pluck()
      .all(FULL) as number[]
    return {
      hog: {
        killed: hog['killed']! > 0,
        rose: hog['most']! > 0.2 * hog['bound']!,
        limitMib: hog['bound']! / 2 ** 20,
      },
      burner: { throttled: burner['throttled']! > 0, cpuLimit: burner['bound'] },
      full: { first: full[0], last: full.at(-1) },
    }
  })
}

function origin({ text }: Bundle): unknown {
  const { rows } = JSON.parse(text('manifest.json')) as { rows: { path: string; origin?: string }[] }
  return rows.find(({ path }) => path === 'metrics/metrics.db')?.origin
}
