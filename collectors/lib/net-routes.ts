/** Addresses and routes out of /proc/net, for machines without the ip command. No I/O. */
import { addressOf, ipv6OfDigits, prefixLengthOf } from './net-address.ts'

/** /proc/net/if_inet6: `fe80::1/64 dev eth0 scope link`. */
export function parseIfInet6(text: string): string[] {
  const scopes: Record<string, string> = { '00': 'global', '10': 'host', '20': 'link', '40': 'site' }
  return text.split('\n').flatMap((line) => {
    const [address, , prefix, scope, , device] = line.trim().split(/\s+/)
    if (device === undefined) return []
    return [`${ipv6OfDigits(address!)}/${Number.parseInt(prefix!, 16)} dev ${device} scope ${scopes[scope!] ?? scope}`]
  })
}

/** /proc/net/fib_trie: the addresses of this host; the table does not tell on which interface they are. */
export function parseFibTrie(text: string): string[] {
  const local = [...text.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map((match) => `${match[1]}/32`)
  return [...new Set(local)]
}

/** /proc/net/route: the main table of IPv4. */
export function parseRoute(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/)
      if (mask === undefined) return []
      const bits = prefixLengthOf(mask)
      const target = bits === 0 ? 'default' : `${addressOf(destination!)}/${bits}`
      const via = gateway === '00000000' ? '' : ` via ${addressOf(gateway!)}`
      // RTF_REJECT: the route refuses.
      const reject = Number.parseInt(flags!, 16) & 0x200 ? ' unreachable' : ''
      return [`${target}${via} dev ${device} metric ${metric}${reject}`]
    })
}

/** /proc/net/ipv6_route: every table of IPv6 in one. */
export function parseRoute6(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [destination, bits, , , gateway, metric, , , flags, device] = line.trim().split(/\s+/)
    if (device === undefined) return []
    const length = Number.parseInt(bits!, 16)
    const target = length === 0 ? 'default' : `${ipv6OfDigits(destination!)}/${length}`
    const via = /^0+$/.test(gateway!) ? '' : ` via ${ipv6OfDigits(gateway!)}`
    const reject = Number.parseInt(flags!, 16) & 0x200 ? ' unreachable' : ''
    return [`${target}${via} dev ${device} metric ${Number.parseInt(metric!, 16)}${reject}`]
  })
}
