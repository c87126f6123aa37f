/**
 * What a test machine leaves on the host, all of it under its name, and how it is taken away: by the test that made it,
 * by its guard when the test was killed, or by the next run when the guard was killed too.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { machinesFolder } from './cache.ts'
import { createCgroups, removeCgroup } from './cgroups.ts'
import { removeNetwork } from './network.ts'
import { childrenOf, isRunning, processId, processesWith, type ProcessId } from './processes.ts'

export interface Machine {
  /** Of its namespaces, control groups and folder. */
  readonly name: string
  readonly folder: string
  readonly layers: Layers
  readonly cgroups: readonly string[]
  /** Kills it if it runs, and takes away all that is left of it. */
  remove(): Promise<void>
}

/** Folders of the machine's root file system. */
interface Layers {
  /** What differs from the cached one. */
  readonly upper: string
  /** What overlayfs needs beside it. */
  readonly work: string
  /** Where both are mounted as one, seen by the machine alone. */
  readonly root: string
  /** /var/lib/docker: Docker makes overlays itself, and they do not work on one. */
  readonly docker: string
}

let made = 0

/** A folder, control groups and a guard; nothing runs yet. */
export function createMachine(): Machine {
  made += 1
  const name = `${PREFIX}${process.pid}-${made}`
  const folder = join(machinesFolder(), name)
  mkdirSync(machinesFolder(), { recursive: true })
  mkdirSync(folder)
  const layers = createLayers(folder)
  const guard = startGuard(name)
  const cgroups = createCgroups(name)
  writeFileSync(join(folder, RECORD), JSON.stringify({ owner: processId(), cgroups } satisfies MachineRecord))
  const remove = async () => {
    await removeMachine(name)
    guard.end()
  }
  return { name, folder, layers, cgroups, remove }
}

/** Whatever there is of it. */
export async function removeMachine(name: string): Promise<void> {
  const folder = join(machinesFolder(), name)
  await killAll(name)
  await removeNetwork(name)
  for (const group of recordOf(folder)?.cgroups ?? []) removeCgroup(group)
  await rm(folder, { recursive: true, force: true })
}

/** Takes away the machines of runs that were killed, and says which; those of runs that go on stay. */
export async function removeLeftovers(): Promise<string[]> {
  if (!existsSync(machinesFolder())) return []
  const left = readdirSync(machinesFolder()).filter((name) => name.startsWith(PREFIX) && !isOwned(name))
  for (const name of left) await removeMachine(name)
  return left
}

function createLayers(folder: string): Layers {
  const layer = (name: string) => {
    mkdirSync(join(folder, name))
    return join(folder, name)
  }
  return { upper: layer('upper'), work: layer('work'), root: layer('root'), docker: layer('docker') }
}

const PREFIX = 'diagd-test-'
const RECORD = 'machine.json'

interface MachineRecord {
  readonly owner: ProcessId
  readonly cgroups: readonly string[]
}

function recordOf(folder: string): MachineRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as MachineRecord
  } catch {
    return undefined
  }
}

/** Without a record it was cut short while it was made: then the process in its name decides. */
function isOwned(name: string): boolean {
  const owner = recordOf(join(machinesFolder(), name))?.owner
  return owner ? isRunning(owner.pid, owner.startTicks) : isRunning(Number(name.slice(PREFIX.length).split('-')[0]))
}

/** The machine's first process before its nspawn: when that is gone, so is every process inside. */
async function killAll(name: string): Promise<void> {
  const nspawns = processesWith(`--machine=${name}`)
  const all = [...nspawns.flatMap(childrenOf), ...nspawns]
  for (const pid of all) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  // Not children of this process, as a rule: nobody tells when they are gone.
  while (all.some((pid) => isRunning(pid))) await delay(10)
}

/** A process of its own session: Ctrl-C does not reach it, and it cleans up when this one ends, however it does. */
function startGuard(name: string): { end(): void } {
  const script = join(import.meta.dirname, 'guard.ts')
  const guard = spawn(process.execPath, [script, name], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] })
  guard.unref()
  return { end: () => guard.stdin.destroy() }
}
