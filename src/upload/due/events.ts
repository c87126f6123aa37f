/** Which of the events that are recorded make a bundle due. */
import { constants } from 'node:os'
import type { TriggersConfig } from '../../config/upload-triggers.ts'
import type { NewEvent } from '../../record/events/event.ts'
import type { Due } from './due.ts'

export interface EventTriggersOptions {
  readonly config: TriggersConfig
  readonly now: () => Moment
  /** When this machine or container began to boot. */
  readonly bootStartMs: number
}

type Moment = Pick<NewEvent, 'timeMs' | 'monotonicMs' | 'bootId'>

/**
 * What is older is read, when diagd is installed or catches up, and no news. By the clock that nobody sets, where the event has it.
 */
const NEWS_MS = 3_600_000
/** More containers are not being stopped at once; more processes not killed. */
const MOST_REMEMBERED = 1000
const REASON_CHARACTERS = 300
/** With SIGTERM and SIGKILL. */
const STOPPED = new Set(['143', '137'])
/** The service itself, and what uploads for it: their failure is no reason to upload. */
const OWN_UNIT = /^diagd(?:-[\w-]+)?\.service$/
const OWN_GROUP = /\/diagd(?:-[\w-]+)?\.service(?:\/|$)/
/** systemd gives up what was to come before people can log in. */
const NEEDED_TARGET = /\.target$/

/** @returns for a batch of events, in their order, what is due; several alike may be among it. */
export function createEventTriggers({
  config,
  now,
  bootStartMs,
}: EventTriggersOptions): (events: readonly NewEvent[]) => Due[] {
  const kills = new Kills()
  const ownPids = new Remembered<string>()
  let goingDown = false
  const begin = now()
  /** Not by the clock that nobody sets alone: in a container that one counts from the boot of the host. */
  const upMs = () => begin.timeMs - bootStartMs + (now().monotonicMs ?? 0) - (begin.monotonicMs ?? 0)

  const unit: Rule = (event) => (config.unit && !OWN_UNIT.test(event.subject) ? due('unit', event) : undefined)
  const failedBoot: Rule = (event) => (config.failedBoot ? due('failed-boot', event) : undefined)
  const down: Rule = () => {
    goingDown = true
    return undefined
  }
  const rules: Readonly<Record<string, Rule>> = {
    'container.start': (event) => kills.forget(event),
    'container.destroy': (event) => kills.forget(event),
    'container.kill': (event) => kills.add(event),
    'container.die': (event) => (config.container && kills.failed(event) ? due('container', event) : undefined),
    'container.oom': (event) => (config.container ? due('container', event) : undefined),
    'unit.failed': unit,
    'unit.start-limit': unit,
    'kernel.oom'({ subject, detail }) {
      if (OWN_GROUP.test(subject)) ownPids.add(textOf(detail?.pid))
      return undefined
    },
    'kernel.oom-kill': (event) =>
      config.oomKill && !ownPids.has(textOf(event.detail?.pid)) ? due('oom-kill', event) : undefined,
    'system.started': (event) => slowBoot(config, event),
    'target.reached': (event) => (event.subject === 'emergency.target' ? failedBoot(event) : undefined),
    'unit.job-failed': (event) => (NEEDED_TARGET.test(event.subject) ? failedBoot(event) : undefined),
    'cloud-init.stage-failed': failedBoot,
    'phase.failed': failedBoot,
    'system.unclean-end': (event) => uncleanEnd(config, event, now()),
    'system.shutdown-requested': down,
    'system.shutdown': down,
  }
  const ruleOf = ({ source, type, detail }: NewEvent): Rule | undefined => {
    // What others post may be called as they like; only steps of provisioning are theirs to tell.
    if (source === 'api') return type.startsWith('provision.') && detail?.status === 'failed' ? failedBoot : undefined
    return Object.hasOwn(rules, type) ? rules[type] : undefined
  }
  return (events) =>
    events.flatMap((event) => {
      const rule = ruleOf(event)
      if (!rule || !isNews(event, now(), upMs())) return []
      const found = rule(event)
      // What ends while the machine goes down is ended by that; the shutdown has a bundle of its own.
      return found && !goingDown ? [found] : []
    })
}

type Rule = (event: NewEvent) => Due | undefined

/** An end without a word is told of the boot before; whether it is news tells the boot that came after it. */
function isNews(event: NewEvent, now: Moment, upMs: number): boolean {
  if (event.type === 'system.unclean-end') return event.detail?.nextBoot === now.bootId && upMs < NEWS_MS
  if (event.bootId !== now.bootId) return false
  const { monotonicMs } = event
  const ageMs =
    monotonicMs === undefined || now.monotonicMs === undefined
      ? now.timeMs - event.timeMs
      : now.monotonicMs - monotonicMs
  return ageMs < NEWS_MS
}

function due(trigger: Due['trigger'], { message, subject, type, timeMs }: NewEvent): Due {
  const said = (message === '' ? `${type} ${subject}` : message).replaceAll(/\s+/g, ' ').trim()
  const reason = said.length > REASON_CHARACTERS ? `${said.slice(0, REASON_CHARACTERS - 1).toWellFormed()}…` : said
  return { trigger, reason, timeMs }
}

function slowBoot({ slowBoot }: TriggersConfig, event: NewEvent): Due | undefined {
  const { kernelUs, initrdUs, userspaceUs } = event.detail ?? {}
  const tookMs = [kernelUs, initrdUs, userspaceUs].reduce<number>((sum, us) => sum + (Number(us) || 0) / 1000, 0)
  if (!slowBoot || tookMs <= slowBoot.longerThanMs) return undefined
  return { ...due('slow-boot', event), fromMs: event.timeMs - tookMs }
}

function uncleanEnd({ uncleanEnd }: TriggersConfig, event: NewEvent, now: { timeMs: number }): Due | undefined {
  if (!uncleanEnd) return undefined
  // The window holds the end of the boot before; the bundle is of now.
  return { ...due('unclean-end', event), timeMs: now.timeMs, fromMs: Math.min(event.timeMs, now.timeMs) }
}

/** The newest so many. */
class Remembered<T> {
  readonly #all = new Set<T>()

  add(one: T): void {
    this.#all.delete(one)
    this.#all.add(one)
    if (this.#all.size > MOST_REMEMBERED) this.#all.delete(this.#all.values().next().value!)
  }

  has(one: T): boolean {
    return this.#all.has(one)
  }
}

/** Signals that somebody had an engine send. */
class Kills {
  readonly #codes = new Map<string, Set<number>>()

  add({ detail }: NewEvent): undefined {
    const id = textOf(detail?.id)
    const codes = this.#codes.get(id) ?? new Set()
    this.#codes.delete(id)
    this.#codes.set(id, codes.add(128 + signalOf(textOf(detail?.signal))))
    if (this.#codes.size > MOST_REMEMBERED) this.#codes.delete(this.#codes.keys().next().value!)
  }

  forget({ detail }: NewEvent): undefined {
    this.#codes.delete(textOf(detail?.id))
  }

  /**
   * Whether a container ended by itself, and not well. Who was sent a signal and ended with its code (143, 137) did what was asked;
   * with any other code it did not take it as it should, and nobody asked for 137 who sent only SIGTERM: that is how an OOM kill looks.
   */
  failed({ detail }: NewEvent): boolean {
    const exitCode = textOf(detail?.exitCode)
    const asked = this.#codes.get(textOf(detail?.id))
    this.#codes.delete(textOf(detail?.id))
    if (!/^\d+$/.test(exitCode) || exitCode === '0') return false
    // Found afterwards: whether somebody had it stopped, or with its engine, nobody knows any more.
    if (detail?.toldBy !== undefined && detail.outOfMemory === undefined && STOPPED.has(exitCode)) return false
    return !asked?.has(Number(exitCode))
  }
}

/** Docker tells the number, others the name. */
function signalOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const signals: Readonly<Record<string, number>> = constants.signals
  return signals[`SIG${text.replace(/^SIG/, '')}`] ?? 0
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
