/** All that is measured, in the order of the subjects. docs/metrics.md is made from it, and so are the tables of metrics.db. */
import type { Metric } from '../metric.ts'
import { CONTAINER } from './container.ts'
import { CPU } from './cpu.ts'
import { DISK } from './disk.ts'
import { HOST_DIAGD } from './host-diagd.ts'
import { HOST_MEMORY } from './host-memory.ts'
import { HOST_NETWORK } from './host-network.ts'
import { HOST_PRESSURE } from './host-pressure.ts'
import { HOST_PROCESSOR } from './host-processor.ts'
import { HOST_SYSTEM } from './host-system.ts'
import { INTERFACE } from './interface.ts'
import { MOUNT } from './mount.ts'
import { PROCESS } from './process.ts'

export const CATALOGUE: readonly Metric[] = [
  ...HOST_PROCESSOR,
  ...HOST_MEMORY,
  ...HOST_PRESSURE,
  ...HOST_SYSTEM,
  ...HOST_NETWORK,
  ...HOST_DIAGD,
  ...CPU,
  ...MOUNT,
  ...DISK,
  ...INTERFACE,
  ...CONTAINER,
  ...PROCESS,
]
