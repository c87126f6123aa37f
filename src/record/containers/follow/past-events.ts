/** What an engine still remembers of one container: an answer that ends. */
import { followEngine } from '../../../sources/engine-follow.ts'
import type { ContainerFacts } from '../container.ts'
import { parseEvent, type ParsedEvent } from './engine-event.ts'
import { Lines } from './lines.ts'
import { cursorAt } from './missed-ends.ts'

/** Since its end; undefined when the engine refuses, or does not answer in time. Rejects when it is gone. */
export function eventsOf(
  { id, finishedMs = 0 }: ContainerFacts,
  socket: string,
  answerMs: number,
): Promise<readonly ParsedEvent[] | undefined> {
  const filters = encodeURIComponent(JSON.stringify({ container: [id] }))
  const path = `/events?since=${cursorAt(finishedMs)}&until=${cursorAt(Date.now())}&filters=${filters}`
  const { promise, resolve, reject } = Promise.withResolvers<readonly ParsedEvent[] | undefined>()
  const found: ParsedEvent[] = []
  const lines = new Lines((line) => {
    const event = parseEvent(line)
    if (event) found.push(event)
  })
  const asked = followEngine(socket, path, {
    open: () => {},
    bytes(bytes, length) {
      lines.push(bytes.subarray(0, length))
      return true
    },
    end: ({ refused, reason }) => {
      if (reason !== undefined) reject(new Error(reason))
      else resolve(refused ? undefined : found)
    },
  })
  const late = setTimeout(() => resolve(undefined), answerMs).unref()
  return promise.finally(() => {
    clearTimeout(late)
    asked.close()
  })
}
