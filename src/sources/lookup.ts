/** Where a command is, on a PATH that the caller of diagd has no say in. */
import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** The only folders commands are taken from: what a distribution and its administrator install, never a home. */
export const FIXED_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The absolute path of an executable regular file, undefined when `path` has none of that name. */
export function findCommand(name: string, path: string): string | undefined {
  return candidates(name, path).find((file) => isExecutable(file))
}

/** A file of that name which cannot be executed, to tell "not installed" from "not executable". */
export function findUnexecutable(name: string, path: string): string | undefined {
  return candidates(name, path).find((file) => isFile(file))
}

function candidates(name: string, path: string): string[] {
  if (isAbsolute(name)) return [name]
  if (name === '' || name.includes('/')) return []
  return path
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
}

function isExecutable(file: string): boolean {
  if (!isFile(file)) return false
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return false
  }
}
