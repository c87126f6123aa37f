/** Open files of the machine: /proc/sys/fs/file-nr. */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'

export function openFilesReader(files: Files): Reader {
  return {
    name: 'open files',
    read(): Part {
      const [open, , limit] = files.line('/proc/sys/fs/file-nr')?.split('\t').map(Number) ?? []
      return { host: known({ file_descriptors: open, file_descriptors_limit: limit }) }
    },
  }
}
