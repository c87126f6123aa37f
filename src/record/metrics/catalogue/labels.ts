/** The keys that rows of a subject are labelled with, and what others call them. */
import type { Subject } from '../metric.ts'

export interface Label {
  /** Its key in a reading, and its column in metrics.db. */
  readonly key: string
  readonly help: string
  /** Whether a thing with another value is another thing. A container without a name is the same one when its name is known. */
  readonly identifies: boolean
  /** As node_exporter and cAdvisor name it; undefined: kept only. */
  readonly prometheus?: string
  /** By OpenTelemetry's semantic conventions. */
  readonly otel?: string
}

export const LABELS: Readonly<Record<Subject, readonly Label[]>> = {
  host: [],
  cpu: [identifying('cpu', 'Number of the CPU, from 0.', 'cpu', 'cpu.logical_number')],
  mount: [
    identifying('mountpoint', 'Where it is mounted.', 'mountpoint', 'system.filesystem.mountpoint'),
    identifying('device', 'What is mounted there.', 'device', 'system.device'),
    identifying('fstype', 'Type of the file system.', 'fstype', 'system.filesystem.type'),
  ],
  disk: [identifying('device', 'Name of the block device.', 'device', 'system.device')],
  interface: [identifying('device', 'Name of the interface.', 'device', 'network.interface.name')],
  container: [
    identifying('id', 'The first 12 digits of its id.', 'container_id', 'container.id'),
    naming('cgroup', 'Path of its control group.', 'id', undefined),
    naming('name', 'Its name, where the engine tells.', 'name', 'container.name'),
  ],
  process: [
    identifying('pid', 'Its process id.', undefined, 'process.pid'),
    identifying('name', 'Name of its program, at most 15 bytes of it.', undefined, 'process.executable.name'),
    naming('container', 'The first 12 digits of the id of its container.', undefined, 'container.id'),
  ],
}

function identifying(key: string, help: string, prometheus?: string, otel?: string): Label {
  return { ...naming(key, help, prometheus, otel), identifies: true }
}

function naming(key: string, help: string, prometheus?: string, otel?: string): Label {
  return { key, help, identifies: false, ...(prometheus && { prometheus }), ...(otel && { otel }) }
}
