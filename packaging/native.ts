/**
 * Packages with machine code. They stay outside of the bundle, as they are, in node_modules beside it: only the files
 * that the architecture needs.
 */
import type { Arch } from './runtime.ts'

interface NativePackage {
  readonly name: string
  /** Paths in the package that are needed. */
  readonly files: (arch: Arch) => RegExp
}

export const NATIVE: readonly NativePackage[] = [
  {
    name: 'better-sqlite3',
    // Without the sources of SQLite, and the machine code for other systems.
    files: (arch) =>
      new RegExp(String.raw`^(?:package\.json|LICENSE|lib/(?:methods/)?[a-z-]+\.js|prebuilds/linux-${arch}\.node)$`),
  },
]
