/** What Debian, Ubuntu and the images of clouds name the zone that most servers are in. */
const UTC = new Set(['UTC', 'Etc/UTC'])

/** Whoever computes in any other zone loads ICU, for good: 8 MiB and 20 ms. In this one nobody needs it. */
export function isUtc(timeZone: string): boolean {
  return UTC.has(timeZone)
}
