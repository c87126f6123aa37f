/** Real commands for tests: executables of the test's own, and what a source needs to know of its surroundings. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openCommand, type CommandContext, type CommandSpec } from '../../src/sources/command.ts'
import { FIXED_PATH } from '../../src/sources/lookup.ts'
import type { Opened, SourceEnd, SourceLimits } from '../../src/sources/source.ts'

/** Generous enough that a loaded machine never meets them by accident. */
const LIMITS: SourceLimits = { entryBytes: 2 ** 26, headBytes: 2 ** 16, commandMs: 60_000, stallMs: 60_000 }

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'diagd-commands-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A shell script on a PATH of its own, in front of the fixed one; returns that PATH. */
export function fakeCommand(name: string, script: string, mode = 0o755): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), mode)
  return `${folder}:${FIXED_PATH}`
}

export function commandContext(
  limits: Partial<SourceLimits> = {},
  rest: Partial<Omit<CommandContext, 'limits'>> = {},
): CommandContext {
  return {
    signal: new AbortController().signal,
    root: '',
    path: FIXED_PATH,
    timeZone: 'UTC',
    intervals: async () => [],
    dbus: { dead: false },
    ...rest,
    limits: { ...LIMITS, ...limits },
  }
}

export async function readAll(opened: Opened): Promise<{ text: string; end: SourceEnd }> {
  const chunks: Buffer[] = []
  let step = await opened.chunks.next()
  for (; !step.done; step = await opened.chunks.next()) chunks.push(Buffer.from(step.value))
  return { text: Buffer.concat(chunks).toString(), end: step.value }
}

export async function output(
  argv: CommandSpec['argv'],
  limits: Partial<SourceLimits> = {},
  rest: Partial<Omit<CommandContext, 'limits'>> & { okCodes?: readonly number[] } = {},
): Promise<{ text: string; end: SourceEnd }> {
  const { okCodes, ...context } = rest
  const spec = okCodes === undefined ? { argv } : { argv, okCodes }
  return readAll(await openCommand(spec, commandContext(limits, context)))
}

/** Not running: absent, or dead and merely not yet taken off the table by its parent. */
export function isGone(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return true
  }
}
