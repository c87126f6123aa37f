/** What `serve` follows containers with, and how its route gets at what is kept. */
import type { BundleDeps } from '../collect/deps.ts'
import type { Config } from '../config.ts'
import type { ContainersPart } from '../http/containers.ts'
import type { BundleRedactor } from '../redact/service.ts'
import { createContainerUses } from '../record/container-uses.ts'
import type { EventFilter } from '../record/events/event.ts'
import type { FollowSink } from '../record/events/follow-writer.ts'
import { createKeeping, type Keeping } from '../record/keeping.ts'
import type { Measuring } from '../record/measuring.ts'
import { monotonicNowMs } from '../record/recorder/clock.ts'
import type { Recording } from '../record/recording.ts'

export interface FollowingParts {
  readonly config: Config
  readonly bootId: string
  /** Those of bundles, known when containers are followed. */
  readonly deps: () => BundleDeps
  readonly recording: Recording | undefined
  readonly measuring: Measuring | undefined
}

const KERNEL_KILLS = { boot: 0, typePrefix: 'kernel.oom', limit: 1000 } as const satisfies EventFilter

/** A log that comes faster is left out when it has done so for as many seconds. */
const FLOOD_SECONDS = 8

/** undefined where nothing is to be followed. */
export function createFollowing({ config, bootId, deps, recording, measuring }: FollowingParts): Keeping | undefined {
  const { containers, metrics, stateDir } = config
  if (containers === 'none') return undefined
  const { floodBytesPerSecond, ...limits } = containers
  const flood = { bytesPerSecond: floodBytesPerSecond, burstBytes: floodBytesPerSecond * FLOOD_SECONDS }
  // As often as there is a newer one.
  const intervalMs = metrics === 'none' ? Infinity : metrics.intervalMs
  const keeping = createKeeping(async () => {
    const { followContainers } = await import('../record/containers/tail.ts')
    const { redaction, engines, root } = deps()
    const uses =
      measuring && createContainerUses({ measured: () => measuring.newest(['container']), isNeeded, intervalMs })
    const tail = followContainers({
      stateDir,
      redaction,
      engines,
      root,
      sink: recording?.sink ?? FORGETFUL,
      now: recording?.now ?? (() => ({ timeMs: Date.now(), monotonicMs: monotonicNowMs(), bootId })),
      use: uses?.of,
      named: measuring?.called,
      limits: { ...limits, flood },
    })
    // Heard from now on, and asked for once: the kernel's log may have been read before, and diagd been killed since.
    recording?.listen((events) => tail.heard(events))
    recording?.query(KERNEL_KILLS).then(
      (events) => tail.heard(events),
      () => {},
    )
    return {
      flush: () => tail.flush(),
      health: () => tail.health(),
      async close() {
        uses?.[Symbol.dispose]()
        await tail.close()
      },
    }
  })
  const isNeeded = () => keeping.health().engines?.some(({ containers: count }) => count > 0) ?? false
  return keeping
}

/** With `events: none` logs are kept all the same. */
const FORGETFUL: FollowSink = { append: async () => [], cursor: async () => undefined }

/** What containers were told to keep secret since something was stored is masked when it is shown. */
export function containersPart(keeping: Keeping, { kept, redaction }: BundleDeps): ContainersPart {
  const { settings, seen } = redaction
  let redactor: Pick<BundleRedactor, 'whole'> | undefined
  return {
    flush: () => kept.flush(),
    list: () => kept.list(),
    health: () => keeping.health(),
    async masked(text) {
      if (settings === 'unknown' || seen.version === 0) return text
      const { createRestingRedactor } = await import('../record/recorder/resting-redactor.ts')
      redactor ??= createRestingRedactor({ ...redaction, settings })
      return (await redactor.whole(Buffer.from(text))).bytes.toString()
    },
  }
}
