/** What journald dropped because a service logged faster than its rate limit allows. No I/O. */

/** A table of services and how many messages of theirs are missing, worst first. */
export function suppressedTable(lines: string): string {
  const byService = new Map<string, Missing>()
  for (const line of lines.split('\n')) {
    const [, time, count, service] = /^(\S+) .*: Suppressed (\d+) messages from (.+)$/.exec(line) ?? []
    if (time === undefined || service === undefined) continue
    const known = byService.get(service) ?? { messages: 0, times: 0, first: time, last: time }
    byService.set(service, { ...known, messages: known.messages + Number(count), times: known.times + 1, last: time })
  }
  if (byService.size === 0) {
    // It counts what it drops, and says so with the next message of the same service, should there be one.
    return 'none that journald speaks of: it reports a drop only once the same service logs again\n'
  }
  const worstFirst = [...byService].sort(([, a], [, b]) => b.messages - a.messages)
  const rows = worstFirst.map(
    ([service, { messages, times, first, last }]) =>
      `${String(messages).padStart(10)} messages in ${times} bursts from ${first} to ${last}: ${service}\n`,
  )
  return rows.join('')
}

interface Missing {
  readonly messages: number
  readonly times: number
  readonly first: string
  readonly last: string
}
