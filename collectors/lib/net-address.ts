/** Addresses as the kernel writes them in /proc/net: hexadecimal 32-bit words in the byte order of the machine. No I/O. */

/** `0100007F` → `127.0.0.1`; 32 digits → IPv6, compressed. Little-endian, as x86-64 and arm64 are. */
export function addressOf(hex: string): string {
  if (hex.length === 8) return ipv4(bytesOfWord(hex))
  const octets = hex.match(/.{8}/g)!.flatMap(bytesOfWord)
  return ipv6(octets)
}

/** Big-endian digits without separators, as in /proc/net/if_inet6 and ipv6_route. */
export const ipv6OfDigits = (hex: string): string => ipv6(hex.match(/../g)!.map((pair) => Number.parseInt(pair, 16)))

/** `0100007F:0016` → `127.0.0.1:22`, `[::1]:22`; port 0 is `*`, and so is the address that means every one. */
export function endpointOf(text: string): string {
  const [hex = '', portHex = '0'] = text.split(':')
  const port = Number.parseInt(portHex, 16)
  const address = addressOf(hex)
  return `${address.includes(':') ? `[${address}]` : address}:${port === 0 ? '*' : port}`
}

/** Bits set in a netmask of /proc/net/route. */
export const prefixLengthOf = (hexMask: string): number =>
  Number.parseInt(hexMask, 16).toString(2).replaceAll('0', '').length

const bytesOfWord = (word: string): number[] => [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16))

const ipv4 = (octets: readonly number[]): string => octets.join('.')

function ipv6(octets: readonly number[]): string {
  const isMapped = octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 255 && octets[11] === 255
  if (isMapped) return `::ffff:${ipv4(octets.slice(12))}`
  const words = Array.from({ length: 8 }, (_, i) => ((octets[2 * i]! << 8) | octets[2 * i + 1]!).toString(16))
  const zeros = words.join(':').match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? []
  const longest = zeros.toSorted((a, b) => b.replace(/^:/, '').length - a.replace(/^:/, '').length)[0]
  if (longest === undefined) return words.join(':')
  const text = words.join(':')
  const at = text.indexOf(longest)
  const after = text.slice(at + longest.length).replace(/^:/, '')
  return `${text.slice(0, at)}::${after}`
}
