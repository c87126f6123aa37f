/**
 * The processes that take most, while something waits: kept, and not served, for their names change all the time. Their
 * numbers are those since the sample before.
 */
import { metricsOf, percentValue, value } from './define.ts'

const { gauge } = metricsOf('process')

export const PROCESS = [
  gauge('cpu_ratio', 'CPUs it used.', { kept: percentValue('cpu_percent') }),
  gauge('resident_bytes', 'Memory.', { kept: value('resident_bytes') }),
  gauge('read_bytes_per_second', 'Bytes read from disks.', { kept: value('read_bytes_per_second') }),
  gauge('written_bytes_per_second', 'Bytes written to disks.', { kept: value('written_bytes_per_second') }),
  gauge('major_faults_per_second', 'Page faults that had to read from a disk.', {
    kept: value('major_faults_per_second', 1),
  }),
  gauge('threads', 'Threads.', { kept: value('threads') }),
  gauge('uninterruptible', '1 while it waits for a disk or a dead mount, and cannot be killed.', {
    kept: value('uninterruptible'),
  }),
]
