/** Which addresses may be listened on without TLS. */
import { BlockList, isIP, isIPv6 } from 'node:net'
import { formatListen } from '../config/listen.ts'
import type { Listen } from '../config/listen.ts'
import type { Tls } from '../config/tls.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) > 0 && loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4'))
}

/** Why it is not listened on: what travels there could be read, and changed, by everybody on the way. */
export function exposure(listen: Listen, tls: Tls | undefined): string | undefined {
  if (tls !== undefined || isLoopback(listen.host)) return undefined
  return (
    `TCP stays closed: ${formatListen(listen)} is reached from other machines, and there is no TLS; accepted: ` +
    'tls: {certificate: PATH, key: PATH}, tls: terminated-upstream where a proxy in front speaks TLS, or a loopback address as listen'
  )
}
