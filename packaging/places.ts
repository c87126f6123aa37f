/** Where things are in the repository. */
import { join } from 'node:path'

export const TOP: string = join(import.meta.dirname, '..')
