/** Whether what a collector needs is there, found out without touching it: no D-Bus, no module loading. */
import { gunzipSync } from 'node:zlib'
import { readFileSync, statSync, lstatSync } from 'node:fs'
import { release } from 'node:os'
import type { Needs } from '../collector.ts'
import { findCommand } from '../sources/lookup.ts'
import type { SourceContext } from '../sources/source.ts'

/** undefined when everything is there, else a sentence that says what is not. */
export function missing(needs: Needs | undefined, ctx: Pick<SourceContext, 'root' | 'path'>): string | undefined {
  if (!needs) return undefined
  for (const command of list(needs.command)) {
    if (findCommand(command, ctx.path) === undefined) return `the command ${command} is not installed`
  }
  for (const file of list(needs.file)) {
    if (!exists(ctx.root + file)) return `${file} does not exist`
  }
  if (needs.unit !== undefined && !unitActive(needs.unit, ctx.root)) return `the unit ${needs.unit} is not active`
  const modules = list(needs.module)
  if (modules.length > 0 && !modules.some((name) => moduleLoaded(name, ctx.root))) {
    return `the kernel module ${modules.join(' or ')} is not loaded`
  }
  return undefined
}

/** systemd keeps a link per active unit here for journald: PID 1's word, without asking it. */
function unitActive(unit: string, root: string): boolean {
  const name = unit.includes('.') ? unit : `${unit}.service`
  try {
    return lstatSync(`${root}/run/systemd/units/invocation:${name}`).isSymbolicLink()
  } catch {
    return false
  }
}

function moduleLoaded(name: string, root: string): boolean {
  return exists(`${root}/sys/module/${name}`) || builtIn(name, root)
}

/** A module without parameters that is part of the kernel shows up in no folder of /sys/module. */
function builtIn(name: string, root: string): boolean {
  const pattern = new RegExp(`/${name.replaceAll('_', '[-_]')}\\.ko$`, 'm')
  const list = text(`${root}/lib/modules/${release()}/modules.builtin`)
  return list === undefined ? kernelConfig(root).includes(`CONFIG_${name.toUpperCase()}=y`) : pattern.test(list)
}

const configs = new Map<string, string>()

/** The kernel's own configuration (CONFIG_IKCONFIG_PROC); it does not change while the kernel runs. */
function kernelConfig(root: string): string {
  const known = configs.get(root)
  if (known !== undefined) return known
  let config = ''
  try {
    config = gunzipSync(readFileSync(`${root}/proc/config.gz`)).toString()
  } catch {
    // Most distributions do not build it in; then modules.builtin is there.
  }
  configs.set(root, config)
  return config
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
