/** TCP, UDP and connection tracking: /proc/net/snmp, netstat, sockstat, /proc/sys/net/netfilter. */
import { increase, metricsOf, perSecond, prom, value } from './define.ts'

const { counter, gauge } = metricsOf('host')

export const HOST_NETWORK = [
  counter('tcp_out_segments', 'TCP segments sent.', {
    kept: perSecond('tcp_out_segments_per_second'),
    prometheus: prom('node_netstat_Tcp_OutSegs'),
  }),
  counter('tcp_in_segments', 'TCP segments received.', {
    kept: perSecond('tcp_in_segments_per_second'),
    prometheus: prom('node_netstat_Tcp_InSegs'),
  }),
  counter('tcp_retransmitted_segments', 'TCP segments sent again.', {
    kept: perSecond('tcp_retransmits_per_second', 1),
    prometheus: prom('node_netstat_Tcp_RetransSegs'),
  }),
  counter('tcp_active_opens', 'TCP connections begun from here.', {
    kept: perSecond('tcp_active_opens_per_second', 1),
    prometheus: prom('node_netstat_Tcp_ActiveOpens'),
  }),
  counter('tcp_passive_opens', 'TCP connections begun from elsewhere.', {
    kept: perSecond('tcp_passive_opens_per_second', 1),
    prometheus: prom('node_netstat_Tcp_PassiveOpens'),
  }),
  gauge('tcp_established', 'TCP connections that are established or half closed.', {
    kept: value('tcp_established'),
    prometheus: prom('node_netstat_Tcp_CurrEstab'),
  }),
  gauge('tcp_time_wait', 'TCP sockets in TIME_WAIT.', {
    kept: value('tcp_time_wait'),
    prometheus: prom('node_sockstat_TCP_tw'),
  }),
  counter('tcp_listen_drops', 'TCP connections dropped before a program took them.', {
    kept: increase('tcp_listen_drops'),
    prometheus: prom('node_netstat_TcpExt_ListenDrops'),
  }),
  counter('tcp_listen_overflows', 'TCP connections dropped because a queue of listening was full.', {
    kept: increase('tcp_listen_overflows'),
    prometheus: prom('node_netstat_TcpExt_ListenOverflows'),
  }),
  counter('udp_receive_buffer_errors', 'UDP datagrams dropped because a program did not read them in time.', {
    kept: increase('udp_receive_buffer_errors'),
    prometheus: prom('node_netstat_Udp_RcvbufErrors'),
  }),
  gauge('conntrack_entries', 'Connections the kernel tracks for NAT and firewall.', {
    kept: value('conntrack_entries'),
    prometheus: prom('node_nf_conntrack_entries'),
  }),
  gauge('conntrack_limit', 'Connections it tracks at most; beyond, it drops packets.', {
    kept: value('conntrack_limit'),
    prometheus: prom('node_nf_conntrack_entries_limit'),
  }),
]
