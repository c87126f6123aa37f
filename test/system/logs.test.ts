/** Logs of a real machine, read by the service as it is confined: journald rotates, containers come and go. */
import { expect, test } from 'vitest'
import { describeVm } from './harness/describe-vm.ts'
import { get } from './harness/diagd.ts'
import type { Vm } from './harness/vm.ts'

interface Line {
  readonly source: string
  readonly message: string
  readonly unit?: string
  readonly container?: { readonly name: string }
  readonly cursor: string
}
interface Page {
  readonly lines: readonly Line[]
  readonly ended: string
  readonly next?: string
  readonly problems: readonly { readonly source: string; readonly message: string; readonly absent?: boolean }[]
}

describeVm('the logs of a machine', { copies: { '/opt/image/bin/busybox': '/bin/busybox' } }, (vm) => {
  test('journal, cloud-init and containers are there, each line once, whatever the driver of the container', async () => {
    await vm().sh(`ln -s busybox /opt/image/bin/sh
ln -s busybox /opt/image/bin/echo
tar -C /opt/image -c . | docker import - busybox
docker run --name plain busybox sh -c 'echo words of plain'
docker run --name by-journal --log-driver journald busybox sh -c 'echo words of by-journal'
logger -t probe 'words of the journal'`)
    const { lines, problems } = await page(vm(), '/logs?search=words%20of&limit=10000')
    expect(problems.filter(({ absent }) => !absent)).toEqual([])
    const words = lines.filter(({ message }) => message.startsWith('words of'))
    expect(words.map(({ source, message }) => `${source}: ${message}`).toSorted()).toEqual([
      'container: words of plain',
      'journal: words of by-journal',
      'journal: words of the journal',
    ])
    const named = await page(vm(), '/logs?container=by-journal,plain')
    expect(named.lines.map(({ container }) => container!.name).toSorted()).toEqual(['by-journal', 'plain'])
    const cloud = await page(vm(), '/logs?source=cloud-init&limit=10')
    expect(cloud.lines).toHaveLength(10)
  })

  test('pages through all of it lead to every line once, either way', async () => {
    const until = `until=${new Date().toISOString()}`
    const newest = await all(vm(), `/logs?limit=3000&${until}`)
    const oldest = await all(vm(), `/logs?limit=2500&order=oldest&${until}`)
    expect(newest.length).toBeGreaterThan(500)
    const text = ({ source, message, unit }: Line) => `${source} ${unit} ${message}`
    expect(oldest.map(text).toSorted()).toEqual(newest.map(text).toSorted())
  })

  test('diagd logs shows the same to root', async () => {
    const served = await page(vm(), '/logs?unit=docker&order=newest&limit=5')
    const shown = await vm().run('diagd', 'logs', '--unit', 'docker', '-n', '5', '--json')
    const lines = shown.split('\n').map((line) => JSON.parse(line) as Line)
    expect(lines.map(({ message }) => message)).toEqual(served.lines.map(({ message }) => message).toReversed())
  })

  test('a stream that is cut off and comes back has every line once, while journald rotates', async () => {
    const first = await page(vm(), '/logs?limit=1&order=newest')
    expect(first.lines).toHaveLength(1)
    // 3000 lines in 15 s or so, three rotations among them; the reader is cut off every 2 s.
    const script = `rm -f /run/stream; last=
( for i in $(seq 0 2999); do echo "tick $i"; [ $((i % 20)) = 0 ] && sleep 0.05; done | systemd-cat -t ticker ) &
( for i in 1 2 3; do sleep 2; journalctl --rotate; done ) &
for n in $(seq 1 30); do
  timeout 2 curl -sN --unix-socket /run/diagd/diagd.sock \${last:+-H "Last-Event-ID: $last"} \
    'http://localhost/logs/stream?source=journal&since=1m&search=tick' >> /run/stream || true
  # An event that broke off in its midst is none.
  awk '/^$/ { if (id != "" && data != "") print id; id = ""; data = "" } /^id: / { id = substr($0, 5) } /^data: / { data = $0 }' /run/stream > /run/ids
  last=$(tail -n 1 /run/ids)
  grep -q '"message":"tick 2999"' /run/stream && break
done
wait; cat /run/stream`
    const stream = await vm().sh(script)
    const ticks = [...stream.matchAll(/^data: .*"message":"tick (\d+)"/gm)].map(([, number]) => Number(number))
    expect(ticks).toEqual(Array.from({ length: 3000 }, (_, index) => index))
    expect(stream).not.toContain('event: dropped')
    expect(await vm().sh('ls /var/log/journal/*/ | grep -c system@')).not.toBe('0')
  })

  test('a line comes over the stream when it is written', async () => {
    const follow = `curl -sN --unix-socket /run/diagd/diagd.sock 'http://localhost/logs/stream?search=live%20line'`
    const script = `${follow} > /run/live & pid=$!
trap 'kill $pid' EXIT
tail -F -n +1 /run/live 2>/dev/null | grep -q -m 1 caught-up
docker run --name brief busybox sh -c 'echo live line of a container'
logger -t probe 'live line of the journal'
tail -F -n +1 /run/live 2>/dev/null | grep -m 1 'of the journal'`
    expect(await vm().sh(script)).toContain('"source":"journal"')
    expect(await vm().sh('grep -c "live line of a container" /run/live || true')).toBe('1')
  })

  test('a stopped docker stays stopped, and is said', async () => {
    await vm().sh('systemctl stop docker.service')
    const { problems } = await page(vm(), '/logs?source=container')
    expect(problems).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('no running dockerd') as string, absent: true }),
    )
    expect(await vm().sh('systemctl is-active docker.service || true')).toBe('inactive')
  })
})

async function page(vm: Vm, path: string): Promise<Page> {
  const credential = await vm.run('cat', '/etc/diagd/admin.header')
  return JSON.parse((await get(vm, path, credential)).toString()) as Page
}

async function all(vm: Vm, path: string): Promise<Line[]> {
  const lines: Line[] = []
  for (let next: string | undefined = path; next !== undefined;) {
    const one: Page = await page(vm, next)
    lines.push(...one.lines)
    next = one.next
  }
  return lines
}
