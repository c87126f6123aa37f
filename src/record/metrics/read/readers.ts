/** All that reads, in the order it is done: pressure decides whether processes are named. */
import { cgroupMounts } from './cgroup-mounts.ts'
import { containerFinder } from './container-finder.ts'
import { containersReader, type ContainerName } from './containers.ts'
import { diagdReader, type Own } from './diagd.ts'
import { disksReader } from './disks.ts'
import type { Files } from './files.ts'
import { interfacesReader } from './interfaces.ts'
import { memoryReader } from './memory.ts'
import { mountsReader, type StatFs } from './mounts.ts'
import { networkReader } from './network.ts'
import { openFilesReader } from './open-files.ts'
import { pageSizeBytes } from './page-size.ts'
import type { Thresholds } from './pressed.ts'
import { pressureReader } from './pressure.ts'
import { processTable, type ProcessTable } from './process-table.ts'
import { processesReader } from './processes.ts'
import { processorReader } from './processor.ts'
import type { Reader } from './reader.ts'

export interface ReadersOptions {
  readonly thresholds: Thresholds
  readonly containerName: ContainerName
  readonly own: Own
  readonly statfs?: StatFs | undefined
}

export function allReaders(files: Files, { thresholds, containerName, own, statfs }: ReadersOptions): Reader[] {
  const table = processTable(files)
  const finder = containerFinder(files, table, cgroupMounts(files))
  const pageBytes = pageSizeBytes(files)
  return [
    processorReader(files),
    memoryReader(files),
    pressureReader(files),
    networkReader(files),
    openFilesReader(files),
    interfacesReader(files),
    disksReader(files),
    mountsReader(files, statfs),
    tableReader(table),
    containersReader(files, finder, containerName),
    processesReader(files, table, { thresholds, pageBytes, containerOf: finder.containerOf }),
    diagdReader(files, pageBytes, own),
  ]
}

/** Those behind it look at what it found. */
function tableReader(table: ProcessTable): Reader {
  return {
    name: 'table of processes',
    read({ monotonicMs }) {
      table.look(monotonicMs)
      return {}
    },
  }
}
