/** From description to bytes: the one place that knows which source opens what. */
import { openCommand } from '../sources/command.ts'
import { openEngineLog } from '../sources/engine-log.ts'
import { openFile } from '../sources/file.ts'
import { openJournal } from '../sources/journal.ts'
import type { OpenedPieces } from '../sources/masked-segment.ts'
import { SourceError, type SourceContext, type SourceLimits } from '../sources/source.ts'
import { openUnixHttp } from '../sources/unix-http.ts'
import { openValue } from '../sources/value.ts'
import type { Description } from './artifact.ts'
import type { EntrySource } from './expand.ts'

export interface EntryModifiers extends Pick<Description, 'okCodes' | 'deadlineMs'> {}

export async function openSource(
  source: EntrySource,
  { okCodes, deadlineMs }: EntryModifiers,
  ctx: SourceContext & { limits: SourceLimits },
): Promise<OpenedPieces> {
  const deadline = deadlineMs === undefined ? {} : { timeoutMs: deadlineMs }
  switch (source.kind) {
    case 'command':
      return openCommand({ argv: source.argv, okCodes, ...deadline }, ctx)
    case 'file':
      return openFile({ path: source.path, within: source.within, windowed: false }, ctx)
    case 'listed':
      return openFile({ path: source.path, root: source.root, windowed: source.windowed, listed: true }, ctx)
    case 'journal':
      return openJournal(source.query, ctx)
    case 'engine':
      return openUnixHttp({ socket: source.socket, path: source.path, ...deadline }, ctx)
    case 'engine-log':
      return openEngineLog({ socket: source.socket, containerId: source.containerId, tty: source.tty }, ctx)
    case 'json':
    case 'text':
      return openValue(source, ctx)
    case 'stored':
    case 'kept-log':
      return source.open(ctx)
    case 'absent':
      throw new SourceError(source.outcome, source.reason, { quiet: source.quiet ?? false })
  }
}
