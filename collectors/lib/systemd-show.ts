/** What `systemctl show` prints: a block of `Key=value` lines for each unit. No I/O. */
export type Properties = Readonly<Record<string, string>>

export function parseShow(show: string): Properties[] {
  return show.split(/\n\s*\n/).flatMap((block) => {
    const pairs = block.split('\n').map((line) => /^(\w+)=(.*)$/.exec(line))
    const found = pairs.flatMap((pair) => (pair ? [[pair[1]!, pair[2]!] as const] : []))
    return found.length === 0 ? [] : [Object.fromEntries(found)]
  })
}
