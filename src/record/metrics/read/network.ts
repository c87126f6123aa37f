/** TCP, UDP and tracked connections: what the kernel counts for the whole machine. */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'
import { column, numberIn } from './text.ts'

export function networkReader(files: Files): Reader {
  return {
    name: 'network',
    read(): Part {
      const snmp = files.text('/proc/net/snmp') ?? ''
      const tcp = column(snmp, 'Tcp', TCP)
      const { RcvbufErrors } = column(snmp, 'Udp', ['RcvbufErrors'])
      const { ListenDrops, ListenOverflows } = column(files.text('/proc/net/netstat') ?? '', 'TcpExt', TCP_EXT)
      const sockets = files.text('/proc/net/sockstat') ?? ''
      return {
        host: known({
          tcp_out_segments: tcp.OutSegs,
          tcp_in_segments: tcp.InSegs,
          tcp_retransmitted_segments: tcp.RetransSegs,
          tcp_active_opens: tcp.ActiveOpens,
          tcp_passive_opens: tcp.PassiveOpens,
          tcp_established: tcp.CurrEstab,
          tcp_time_wait: numberIn(/^TCP: .*\btw (\d+)/m.exec(sockets)?.[1]),
          tcp_listen_drops: ListenDrops,
          tcp_listen_overflows: ListenOverflows,
          udp_receive_buffer_errors: RcvbufErrors,
          // Both are absent until something loads the module; reading them does not.
          conntrack_entries: numberIn(files.line('/proc/sys/net/netfilter/nf_conntrack_count')),
          conntrack_limit: numberIn(files.line('/proc/sys/net/netfilter/nf_conntrack_max')),
        }),
      }
    },
  }
}

const TCP = ['OutSegs', 'InSegs', 'RetransSegs', 'ActiveOpens', 'PassiveOpens', 'CurrEstab']
const TCP_EXT = ['ListenDrops', 'ListenOverflows']
