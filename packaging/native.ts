/**
 * Packages with machine code. They stay outside of the bundle, as they are, in node_modules beside it: only the files
 * that the architecture needs.
 */
import type { Arch } from './runtime.ts'

export interface NativePackage {
  readonly name: string
  /** Files and folders of the package that are needed, from its top. */
  readonly files: (arch: Arch) => readonly string[]
}

/** None yet. */
export const NATIVE: readonly NativePackage[] = []
