/** What is never read, whoever asks: one table for the code and for the docs. */
import picomatch from 'picomatch'

export interface NeverRead {
  readonly pattern: string
  readonly reason: string
}

/** Globs over paths of the host, checked against the path as named and against the real one. */
export const neverRead: readonly NeverRead[] = [
  { pattern: '/proc/kmsg', reason: 'reading it takes the messages away from the system logger' },
  { pattern: '/proc/{kcore,vmcore}', reason: 'memory of the kernel' },
  { pattern: '/proc/*/{mem,environ,map_files/**}', reason: 'memory and environment of a process' },
  { pattern: '/proc/*/task/*/{mem,environ}', reason: 'memory and environment of a process' },
  { pattern: '/proc/keys', reason: 'keys of the kernel keyring' },
  { pattern: '/dev/**', reason: 'devices: opening one can act on it (a watchdog, a tape, a terminal)' },
  { pattern: '/sys/**/{resource[0-9]*,rom,vpd}', reason: 'registers and firmware of devices: reading can hang them' },
  { pattern: '/sys/**/trace_pipe{,_raw}', reason: 'reading it takes the trace away from who is tracing' },
  { pattern: '/{home,root}/**', reason: 'homes of people' },
  { pattern: '/var/lib/docker/volumes/**', reason: 'contents of container volumes' },
  { pattern: '/var/lib/containers/storage/volumes/**', reason: 'contents of container volumes' },
  { pattern: '/var/lib/kubelet/pods/*/volumes/**', reason: 'contents of container volumes' },
  { pattern: '/var/lib/systemd/coredump/**', reason: 'contents of core dumps' },
  { pattern: '/var/crash/**', reason: 'contents of core dumps' },
  { pattern: '/etc/{,g}shadow*', reason: 'hashes of passwords' },
  { pattern: '/etc/security/opasswd*', reason: 'hashes of passwords' },
  { pattern: '/etc/ssh/*_key', reason: 'private keys' },
  { pattern: '/etc/ssl/private/**', reason: 'private keys' },
  { pattern: '/etc/pki/{tls,CA,nssdb}/private/**', reason: 'private keys' },
  { pattern: '/etc/letsencrypt/**/privkey*', reason: 'private keys' },
  { pattern: '/etc/kubernetes/**/*.key', reason: 'private keys' },
  { pattern: '/etc/wireguard/**', reason: 'private keys' },
  { pattern: '/etc/krb5.keytab', reason: 'private keys' },
  { pattern: '/var/lib/docker/swarm/**', reason: 'private keys' },
  { pattern: '/run/{credentials,secrets}/**', reason: 'credentials of services' },
  { pattern: '/etc/credstore{,.encrypted}/**', reason: 'credentials of services' },
  {
    pattern: '/run/cloud-init/{instance-data-sensitive,combined-cloud-config}.json',
    reason: 'secrets of cloud-init, taken apart and in base64: no name is left to mask them by',
  },
  {
    pattern: '/var/lib/cloud/{instance,instances/*}/{,vendor-,vendor2-}cloud-config.txt*',
    reason:
      'secrets of cloud-init, in YAML that is folded anywhere: cut in two, they are not known; user-data has the same',
  },
  {
    pattern: '/var/lib/cloud/{instance,instances/*}/obj.pkl',
    reason: 'secrets of cloud-init, in binary: no name is left to mask them by',
  },
  {
    pattern: '/var/lib/diagd/*.db{,-wal,-shm}',
    reason:
      "diagd's own databases: closing a file of theirs would drop their locks; a copy of one moment is in the bundle",
  },
]

const matchers = neverRead.map(({ pattern, reason }) => ({ reason, matches: picomatch(pattern, { dot: true }) }))

/** Why a path of the host is never read; undefined when it may be. */
export function neverReadReason(path: string): string | undefined {
  return matchers.find(({ matches }) => matches(path))?.reason
}
