/** diagd itself. */
import type { Files } from './files.ts'
import { known, type Part, type Reader, type Values } from './reader.ts'
import { numberIn } from './text.ts'

/** What only other threads of diagd know, by the names of the catalogue: `diagd_event_loop_delay_seconds`. */
export type Own = () => Values

export function diagdReader(files: Files, pageBytes: number, own: Own): Reader {
  const startSeconds = Date.now() / 1000 - process.uptime()
  const limit = /^Max open files +(\d+)/m.exec(files.text('/proc/self/limits') ?? '')?.[1]
  return {
    name: 'diagd',
    read(): Part {
      const { user, system } = process.cpuUsage()
      const [size, resident] = files.line('/proc/self/statm')?.split(' ').map(Number) ?? []
      return {
        host: known({
          diagd_cpu_seconds: (user + system) / 1e6,
          diagd_resident_bytes: (resident ?? NaN) * pageBytes,
          diagd_virtual_bytes: (size ?? NaN) * pageBytes,
          diagd_open_files: openFiles(files),
          diagd_open_files_limit: numberIn(limit),
          diagd_start_time_seconds: startSeconds,
          ...own(),
        }),
      }
    },
  }
}

/** The one that is open to list them is not counted. */
function openFiles(files: Files): number | undefined {
  const count = files.names('/proc/self/fd').length
  return count === 0 ? undefined : count - 1
}
