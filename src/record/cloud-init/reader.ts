/** Lines of /var/log/cloud-init.log → events. Debian's (22.4) and Ubuntu's (up to 25.1) differ only in which file speaks. */
import { ownType, type OwnEventType } from '../classify/own.ts'
import type { NewEvent } from '../events/event.ts'

/** An event that has yet to get its boot. */
export type CloudInitEvent = Omit<NewEvent, 'bootId'>

/** `2026-11-21 14:23:10,200 - util.py[DEBUG]: …`; in UTC, for cloud-init sets its log to that. */
const LINE = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[,.](\d{3}) - ([\w.-]+)\[(\w+)\]: (.*)$/
const RUNNING = /^Cloud-init v\. (?<version>\S+) running '(?<stage>[\w: -]+)' at .*\bUp (?<up>[\d.]+) seconds/
const FINISHED =
  /^Cloud-init v\. (?<version>\S+) finished at .*?\. Datasource (?<from>.+?)\.\s+Up (?<up>[\d.]+) seconds/
const START = /^start: (?<stage>[\w-]+)\/(?<step>[\w.-]+): (?<text>.*)/
const FINISH = /^finish: (?<stage>[\w-]+)(?:\/(?<step>[\w.-]+))?: (?<result>SUCCESS|WARN|FAIL): (?<text>.*)/
const MESSAGE_CHARS = 4096

/** Reads one line after the other; remembers when the machine started, as far as they tell. */
export class CloudInitReader {
  /** Milliseconds since 1970; undefined before a line has told. */
  startMs: number | undefined

  constructor(startMs?: number) {
    this.startMs = startMs
  }

  /** At most one event. Lines without a time belong to the one before: stack traces, mostly. */
  read(line: string): CloudInitEvent | undefined {
    const [, day, time, milliseconds, file, level, message] = LINE.exec(line) ?? []
    if (message === undefined) return undefined
    const timeMs = Date.parse(`${day}T${time}.${milliseconds}Z`)
    if (Number.isNaN(timeMs)) return undefined
    const found = this.#found(timeMs, message) ?? ofLevel(level!, file!)
    if (found === undefined) return undefined
    const { name, subject, detail } = found
    const monotonicMs = this.startMs === undefined ? undefined : timeMs - this.startMs
    return {
      timeMs,
      ...(monotonicMs !== undefined && monotonicMs >= 0 ? { monotonicMs } : {}),
      ...ownType(name),
      subject,
      message: message.slice(0, MESSAGE_CHARS),
      ...(detail === undefined ? {} : { detail }),
    }
  }

  #found(timeMs: number, message: string): Found | undefined {
    const running = RUNNING.exec(message)?.groups
    const finished = running ? undefined : FINISHED.exec(message)?.groups
    const { up, version, stage, from } = running ?? finished ?? {}
    if (up === undefined) return stepOf(message)
    this.startMs = timeMs - Number(up) * 1000
    const detail = { version, upSeconds: Number(up) }
    return running
      ? { name: 'cloud-init.stage-started', subject: nameOf(stage!), detail }
      : { name: 'cloud-init.finished', subject: from!, detail }
  }
}

/** The same stage has one name when it begins and another when it ends: the latter is used. */
function nameOf(stage: string): string {
  return stage === 'init' ? 'init-network' : stage.replace(':', '-')
}

interface Found {
  readonly name: OwnEventType
  readonly subject: string
  readonly detail?: Readonly<Record<string, unknown>>
}

function stepOf(message: string): Found | undefined {
  const started = START.exec(message)?.groups
  if (started) return { name: 'cloud-init.module-started', subject: `${started['stage']}/${started['step']}` }
  const { stage, step, result } = FINISH.exec(message)?.groups ?? {}
  if (stage === undefined) return undefined
  const what = step === undefined ? 'stage' : 'module'
  const name = `cloud-init.${what}-${result === 'FAIL' ? 'failed' : 'finished'}` as const
  return { name, subject: step === undefined ? stage : `${stage}/${step}`, detail: { result } }
}

function ofLevel(level: string, file: string): Found | undefined {
  if (level === 'WARNING') return { name: 'cloud-init.warning', subject: file }
  if (level === 'ERROR' || level === 'CRITICAL') return { name: 'cloud-init.error', subject: file }
  return undefined
}
