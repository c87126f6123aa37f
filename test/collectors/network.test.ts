import { describe, expect, test } from 'vitest'
import network from '../../collectors/network.ts'
import { withoutKeys } from '../../collectors/lib/net-keys.ts'
import { described, fakeCommands, fixture, testKit, tree } from '../helpers/kit.ts'

const root = fixture('collectors-2', 'vm')
const look = async (scripts: Record<string, string> = {}) =>
  described(network, testKit({ root, bin: await fakeCommands(scripts) }))
const rowOf = (text: unknown, part: string) =>
  String(text)
    .split('\n')
    .find((line) => line.includes(part)) ?? ''

describe('addresses and routes', () => {
  test('come from ip, every table and both families, where it is installed', async () => {
    const { commands, has } = await look({ ip: '' })
    expect(commands).toEqual(
      expect.arrayContaining([
        'ip -details -statistics address show',
        'ip -details route show table all',
        'ip -details -6 route show table all',
        'ip -details rule show',
        'ip -details -6 rule show',
        'ip -details -statistics neighbour show nud all',
      ]),
    )
    expect(has('routes.txt')).toBe(false)
  })

  test('ask for IPv6 only where the kernel has it', async () => {
    expect((await look({ ip: '' })).named('routes-ipv6.txt').needs).toEqual([{ file: '/proc/net/if_inet6' }])
  })

  test('come from /proc/net where there is no ip', async () => {
    const entries = await look()
    expect(entries.commands.filter((command) => command.startsWith('ip '))).toEqual([])
    expect(await entries.value('routes.txt')).toContain('default via 10.0.2.1 dev eth0 metric 100')
    expect(await entries.value('addresses.txt')).toContain('10.0.2.15/32')
    expect(await entries.value('addresses.txt')).toContain('the command ip is not installed')
  })
})

describe('sockets.txt', () => {
  const find = String.raw`printf '/proc/700/fd/6 socket:[20001]\0/proc/701/fd/6 socket:[20001]\0/proc/701/fd/9 socket:[20003]\0'`

  test('shows each socket with the processes that hold it', async () => {
    const text = await (await look({ find })).value('sockets.txt')
    expect(rowOf(text, '0.0.0.0:80 ')).toMatch(
      /^tcp\s+LISTEN\s+7\s+0\s+0\.0\.0\.0:80\s+0\.0\.0\.0:\*\s+root\s+20001\s+700\/nginx, 701\/nginx$/,
    )
    expect(rowOf(text, '10.0.2.2:50000')).toMatch(/^tcp\s+ESTABLISHED\s+16\s+5000\s.*www-data\s+20003\s+701\/nginx$/)
  })

  test('asks find for the descriptors of every process and follows no link', async () => {
    const text = await (
      await look({
        find: `printf '/proc/1/fd/3 socket:[20002]\\0'; echo "$*" >&2; case "$*" in "/proc/1/fd /proc/2/fd "*" -maxdepth 1 -lname socket:* -printf %p %l"*) ;; *) exit 9;; esac`,
      })
    ).value('sockets.txt')
    expect(rowOf(text, '127.0.0.1:53')).toContain('1/systemd')
  })

  test('lists listening sockets first, leftovers of closed connections after the others, unix sockets last', async () => {
    const text = String(await (await look({ find })).value('sockets.txt'))
    const table = text.slice(text.indexOf('\nPROTO')).split('\n').slice(2, -1)
    const order = table.map((line) =>
      line
        .split(/\s{2,}/)
        .slice(0, 2)
        .join(' '),
    )
    expect(order.slice(0, 4)).toEqual(['tcp LISTEN', 'tcp LISTEN', 'tcp6 LISTEN', 'tcp ESTABLISHED'])
    expect(order.slice(-4)).toEqual([
      'tcp TIME-WAIT',
      'unix stream LISTEN',
      'unix stream CONNECTED',
      'unix dgram UNCONNECTED',
    ])
  })

  test('names the reason when owners cannot be found out, and still lists the sockets', async () => {
    const text = await (await look()).value('sockets.txt')
    expect(text).toContain('No owners: command not found: find')
    expect(rowOf(text, '0.0.0.0:80 ')).toMatch(/\?$/)
  })
})

describe('interfaces.txt', () => {
  test('shows the interface that loses packets first, and no speed where the driver tells none', async () => {
    const rows = String(await (await look()).value('interfaces.txt'))
      .split('\n')
      .filter((line) => /^(?:eth|lo)/.test(line))
    expect(rows.map((row) => row.split(/\s+/)[0])).toEqual(['eth1', 'eth0', 'lo'])
    expect(rows[0]).toMatch(
      /^eth1\s+up\s+1\s+2\s+1500\s+-\s+unknown\s+02:00:00:00:00:01\s+1000\s+10\s+5\s+7\s+2000\s+20\s+0\s+0$/,
    )
  })
})

describe('configuration', () => {
  test('comes as it is, for the mask; keyfiles and generated files too', async () => {
    const { all } = await look()
    const files = all.filter((entry) => entry.kind === 'file').map((entry) => entry.name)
    expect(files).toEqual(
      expect.arrayContaining([
        'etc/systemd/network/wg0.netdev',
        'run/netplan/eth0.yaml',
        'etc/NetworkManager/system-connections/office.nmconnection',
        'etc/netplan/50-cloud-init.yaml',
      ]),
    )
  })

  test.each([
    ['    key: 4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8=', '    key: ***'],
    [
      '        - keys: x\n          shared: "4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8="',
      '        - keys: x\n          shared: "***"',
    ],
    ['Key=81b4e6e6e6e6e6e6e6e6e6e6e6e6e6e6', 'Key=***'],
    ['mka-cak=81b4e6e6e6e6e6e6e6e6e6e6e6e6e6e6', 'mka-cak=***'],
    ['    wpa-psk hunter22', '    wpa-psk ***'],
    ['KEY1=s:hunter2', 'KEY1=***'],
    ['key-mgmt=wpa-psk', 'key-mgmt=wpa-psk'],
    [
      'PublicKey=4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8=',
      'PublicKey=4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8=',
    ],
  ])('of %j is left %j', (text, left) => {
    expect(withoutKeys(text)).toBe(left)
  })

  test('with such a key is made from what is left', async () => {
    const path = '/etc/systemd/network/m.netdev'
    const root = await tree({ [path]: 'Kind=macsec\nKey=81b4e6e6e6e6e6e6e6e6e6e6e6e6e6e6\n' })
    const entries = await described(network, testKit({ root }))
    expect(await entries.value(path.slice(1))).toBe('Kind=macsec\nKey=***\n')
    expect(entries.paths).not.toContain(path)
  })

  test('proxies are shown, other variables are not', async () => {
    const text = String(await (await look()).value('proxies.txt'))
    expect(text).toMatch(/^\/etc\/environment:3: https_proxy=http:\/\/\S+@proxy\.example:3128$/m)
    expect(text).toMatch(
      /^\/etc\/systemd\/system\/docker\.service\.d\/http-proxy\.conf:2: "HTTP_PROXY=http:\/\/\S+@proxy\.example:3128" "NO_PROXY=localhost,10\.0\.0\.0\/8"$/m,
    )
    expect(text).not.toMatch(/hidden|do-not-show|old/)
  })
})

describe('name resolution and services', () => {
  test('resolv.conf may be the link that systemd-resolved makes', async () => {
    const entry = (await look()).all.find(({ paths }) => paths?.includes('/etc/resolv.conf'))
    expect(entry?.within).toContain('/run/systemd/resolve')
  })

  test('what D-Bus would start is asked only where it runs', async () => {
    const entries = await look()
    for (const [name, unit] of [
      ['resolvectl-status.txt', 'systemd-resolved.service'],
      ['resolvectl-statistics.txt', 'systemd-resolved.service'],
      ['networkctl-status.txt', 'systemd-networkd.service'],
      ['nmcli-devices.txt', 'NetworkManager.service'],
    ] as const) {
      expect(entries.named(name).needs).toEqual([expect.objectContaining({ unit })])
    }
  })

  test('ss is never run: it loads modules', async () => {
    expect((await look({ ip: '', tc: '', find: '' })).commands.filter((command) => /^ss\b/.test(command))).toEqual([])
  })

  test('named network namespaces are listed', async () => {
    expect(await (await look()).value('namespaces.txt')).toContain('/run/docker/netns: 1-abc')
  })
})
