/**
 * Wishes that need no code: `/etc/diagd/extras.d/<name>.conf`, a path glob, a `$ command` or a `@unit` per line,
 * `#` for comments. They land under `extras/<name>/`.
 */
import { readFile } from 'node:fs/promises'
import type { Artifact, Collector, Kit } from '../collector.ts'
import type { RegisteredCollector } from './types.ts'
import { trustedFiles } from './trusted-files.ts'

type Wish = { kind: 'glob'; glob: string } | { kind: 'command'; argv: string[] } | { kind: 'unit'; unit: string }

const FILE_NAME = /^([A-Za-z0-9][\w.-]{0,60})\.conf$/

/** A list of wishes, not a program. */
const MOST_LINES = 200

export async function loadExtras(
  folder: string,
  uid: number,
): Promise<{ collectors: RegisteredCollector[]; problems: string[] }> {
  const { files, problems } = await trustedFiles(folder, uid)
  const collectors: RegisteredCollector[] = []
  for (const file of files) {
    const name = FILE_NAME.exec(file)?.[1]
    if (name === undefined) {
      problems.push(`${folder}/${file} is not used: its name has to end in .conf`)
      continue
    }
    const wishes = parseExtras(await readFile(`${folder}/${file}`, 'utf8'), `${folder}/${file}`, problems)
    collectors.push({ id: `extras/${name}`, collector: toCollector(file, wishes) })
  }
  return { collectors, problems }
}

/** Lines to wishes; a bad line becomes a problem naming it, the others count. */
function parseExtras(text: string, path: string, problems: string[]): Wish[] {
  const wishes: Wish[] = []
  const lines = text.split('\n')
  if (lines.length > MOST_LINES) problems.push(`${path}: only the first ${MOST_LINES} lines are used`)
  for (const [index, raw] of lines.slice(0, MOST_LINES).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const wish = parseLine(line)
    if (wish) wishes.push(wish)
    else problems.push(`${path}:${index + 1}: "${line}" is none of /path/glob, $ command, @unit`)
  }
  return wishes
}

function parseLine(line: string): Wish | undefined {
  if (line.startsWith('$ ')) {
    const argv = [...line.slice(2).matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
    return argv.length > 0 ? { kind: 'command', argv } : undefined
  }
  if (/^@[\w.@:\\-]+$/.test(line)) return { kind: 'unit', unit: line.slice(1) }
  return line.startsWith('/') ? { kind: 'glob', glob: line } : undefined
}

function toCollector(file: string, wishes: readonly Wish[]): Collector {
  return {
    title: `Extras of ${file}`,
    tier: 'logs',
    *collect(kit) {
      for (const wish of wishes) yield* describe(wish, kit)
    },
  }
}

function* describe(wish: Wish, { command, logs, journal }: Kit): Iterable<Artifact> {
  if (wish.kind === 'glob') yield logs(wish.glob)
  else if (wish.kind === 'command') yield command`${wish.argv}`
  else {
    yield command`systemctl status --no-pager --full --lines=50 -- ${wish.unit}`.accept(3).as(`${wish.unit}.status.txt`)
    yield journal({ unit: wish.unit }).as(`${wish.unit}.log`)
  }
}
