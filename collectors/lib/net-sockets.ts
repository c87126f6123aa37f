/** Sockets out of /proc/net/{tcp,tcp6,udp,udp6,raw,raw6,unix,packet} (kernel: Documentation/networking/proc_net_tcp.rst). No I/O. */
import { endpointOf } from './net-address.ts'
import { oneLine, table } from './proc-text.ts'

export interface Socket {
  readonly protocol: string
  readonly state: string
  readonly receiveQueue: number
  readonly sendQueue: number
  readonly local: string
  readonly remote: string
  /** undefined where the kernel does not tell (unix sockets). */
  readonly uid: number | undefined
  readonly inode: number
}

/** A table beyond this is no longer read by people; the counts above it are of all. */
const mostRows = 20_000

const tcpStates = [
  '?',
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECV',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'NEW-SYN-RECV',
] // include/net/tcp_states.h

/** tcp, udp and raw, IPv4 and IPv6. For a listening socket the receive queue is the number of connections not yet accepted. */
export function parseInet(protocol: string, text: string): Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [, local, remote, state, queues, , , uid, , inode] = fields
      if (inode === undefined) return []
      const code = Number.parseInt(state!, 16)
      const [send, receive] = queues!.split(':').map((hex) => Number.parseInt(hex, 16))
      return [
        {
          protocol,
          state: protocol.startsWith('tcp') ? (tcpStates[code] ?? '?') : code === 1 ? 'CONNECTED' : 'UNCONNECTED',
          receiveQueue: receive!,
          sendQueue: send!,
          local: endpointOf(local!),
          remote: endpointOf(remote!),
          uid: Number(uid),
          inode: Number(inode),
        },
      ]
    })
}

/** Unix sockets. A path may hold spaces; `@` begins an abstract name. */
export function parseUnix(text: string): Socket[] {
  const types: Record<string, string> = { '0001': 'stream', '0002': 'dgram', '0005': 'seqpacket' }
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const match = /^\S+: \S+ \S+ (\S+) (\S+) (\S+)\s+(\d+) ?(.*)$/.exec(line)
      if (!match) return []
      const [, flags, type, state, inode, path] = match
      return [
        {
          protocol: `unix ${types[type!] ?? type!}`,
          // 0x10000 is __SO_ACCEPTCON: somebody listens.
          state: Number.parseInt(flags!, 16) & 0x10000 ? 'LISTEN' : state === '03' ? 'CONNECTED' : 'UNCONNECTED',
          receiveQueue: 0,
          sendQueue: 0,
          local: path === '' ? '-' : path!,
          remote: '-',
          uid: undefined,
          inode: Number(inode),
        },
      ]
    })
}

/** Packet sockets: who captures frames. The interface stands by its index, 0 for all of them. */
export function parsePacket(text: string): Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [sk, , type, protocol, index, , memory, uid, inode] = line.trim().split(/\s+/)
      if (!sk || inode === undefined) return []
      return [
        {
          protocol: `packet ${type === '3' ? 'raw' : 'dgram'}`,
          state: 'UNCONNECTED',
          receiveQueue: Number(memory),
          sendQueue: 0,
          local: `protocol 0x${protocol} on ${index === '0' ? 'every interface' : `interface ${index}`}`,
          remote: '-',
          uid: Number(uid),
          inode: Number(inode),
        },
      ]
    })
}

/** Counts, then listening sockets, then by bytes that wait in queues. */
export function socketsText(
  sockets: readonly Socket[],
  owners: ReadonlyMap<number, readonly string[]>,
  userName: (uid: number) => string,
  notes: string,
): string {
  const counts = new Map<string, number>()
  for (const { protocol, state } of sockets) {
    counts.set(`${protocol} ${state}`, (counts.get(`${protocol} ${state}`) ?? 0) + 1)
  }
  const sorted = sockets.toSorted(
    (a, b) => rank(a) - rank(b) || b.receiveQueue + b.sendQueue - (a.receiveQueue + a.sendQueue),
  )
  const rows = sorted
    .slice(0, mostRows)
    .map((socket) => [
      socket.protocol,
      socket.state,
      socket.receiveQueue,
      socket.sendQueue,
      oneLine(socket.local),
      socket.remote,
      socket.uid === undefined ? '-' : userName(socket.uid),
      socket.inode === 0 ? '-' : socket.inode,
      ownersOf(socket, owners),
    ])
  const cut = sockets.length > mostRows ? `CUT: ${sockets.length - mostRows} more sockets are only counted here.\n` : ''
  return (
    `${sockets.length} sockets of this network namespace (containers with their own network are not in here).\n` +
    `RECV-Q of a listening TCP socket: connections that wait to be accepted. Queues in bytes otherwise.\n${notes}${cut}\n` +
    `${table(
      ['SOCKETS', '>COUNT'],
      [...counts].sort((a, b) => b[1] - a[1]),
    )}\n` +
    table(['PROTO', 'STATE', '>RECV-Q', '>SEND-Q', 'LOCAL', 'REMOTE', 'USER', '>INODE', 'PROCESS'], rows)
  )
}

/** Network before unix, listening first, the leftovers of closed connections last. */
function rank({ protocol, state }: Socket): number {
  const family = protocol.startsWith('unix') ? 10 : 0
  if (state === 'LISTEN') return family
  return family + (state === 'TIME-WAIT' ? 2 : 1)
}

/** The kernel keeps no owner for what is closed on this side; a forked server shares its socket. */
function ownersOf({ inode }: Socket, owners: ReadonlyMap<number, readonly string[]>): string {
  const names = owners.get(inode) ?? []
  if (names.length === 0) return inode === 0 ? '-' : '?'
  return names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '')
}
