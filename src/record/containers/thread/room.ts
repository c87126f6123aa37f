/** What all containers together may take on the disk: the oldest go, of whichever container. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerFacts } from '../container.ts'
import { listLogFiles, scanLogFile } from '../keep/log-files.ts'

export interface RoomLimits {
  /** `<state>/containers`. */
  readonly folder: string
  readonly maxBytes: number
  /** Containers that are gone: beyond these, the first that went are forgotten. */
  readonly maxRemoved: number
}

interface Container {
  readonly folder: string
  bytes: number
}

/** What a file takes at least. */
const BLOCK_BYTES = 4096

/** @returns how many containers were forgotten, how many bytes are kept, and how many lines went for that. `isOpen`: somebody writes its log. */
export function makeRoom(
  { folder, maxBytes, maxRemoved }: RoomLimits,
  isOpen: (folder: string) => boolean,
): { keptBytes: number; forgotten: number; cap: number } {
  const containers = listContainers(folder)
  const forgotten = forget(containers, maxRemoved, isOpen)
  let keptBytes = containers.reduce((all, { bytes }) => all + bytes, 0)
  let cap = 0
  if (keptBytes > maxBytes) {
    for (const { path, bytes } of oldestFirst(containers, isOpen)) {
      cap += linesIn(path)
      rmSync(path, { force: true })
      keptBytes -= bytes
      if (keptBytes <= maxBytes) break
    }
  }
  return { keptBytes, forgotten, cap }
}

/** As its headers tell; none of a file that cannot be read. */
function linesIn(path: string): number {
  try {
    return scanLogFile(path).segments.reduce((all, { facts }) => all + facts.lines, 0)
  } catch {
    return 0
  }
}

function listContainers(folder: string): Container[] {
  return subfolders(folder)
    .flatMap((engine) => subfolders(engine))
    .map((path) => ({ folder: path, bytes: bytesIn(path) }))
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))
  } catch {
    return []
  }
}

function bytesIn(folder: string): number {
  const sizes = readdirSync(folder).map((name) => sizeOf(join(folder, name)))
  return sizes.reduce((all, size) => all + size, BLOCK_BYTES)
}

function sizeOf(path: string): number {
  const { size = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {}
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

/** Of those that are gone, the first that went; takes them out of the list. */
function forget(containers: Container[], maxRemoved: number, isOpen: (folder: string) => boolean): number {
  if (containers.length <= maxRemoved) return 0
  const removed = containers
    .filter(({ folder }) => !isOpen(folder))
    .map((container) => ({ container, removedMs: removedMsOf(container.folder) }))
    .filter((one) => one.removedMs !== undefined)
    .toSorted((a, b) => b.removedMs! - a.removedMs!)
  const gone = removed.slice(maxRemoved)
  for (const { container } of gone) {
    rmSync(container.folder, { recursive: true, force: true })
    containers.splice(containers.indexOf(container), 1)
  }
  return gone.length
}

function removedMsOf(folder: string): number | undefined {
  try {
    const facts = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as ContainerFacts
    return facts.state === 'removed' ? (facts.removedMs ?? 0) : undefined
  } catch {
    return undefined
  }
}

/** Files of logs that are not written to any more, by the time of their last line. */
function oldestFirst(containers: readonly Container[], isOpen: (folder: string) => boolean) {
  return containers
    .flatMap(({ folder }) => {
      const files = listLogFiles(folder)
      return isOpen(folder) ? files.slice(0, -1) : files
    })
    .map(({ path }) => ({ path, bytes: sizeOf(path), timeMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => a.timeMs - b.timeMs)
}
