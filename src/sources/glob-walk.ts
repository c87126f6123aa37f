/** The walk through folders that one glob asks for. */
import picomatch from 'picomatch'
import type { Outcome } from '../collector.ts'
import type { GlobProblem } from './glob.ts'
import { listFolder, type Listed } from './list-folder.ts'
import { DangerousMountError, type MountTable } from './mounts.ts'
import { components, isUnder, printable } from './paths.ts'
import { accessError, errorCode, kindOf } from './refusal.ts'
import { resolvePath } from './resolve.ts'
import { SourceError, type SourceContext } from './source.ts'

/** How deep `**` goes. */
const mostFolders = 8

export interface WalkOptions {
  readonly pattern: string
  readonly ctx: SourceContext
  readonly mounts: MountTable
  readonly folders: boolean
  readonly budget: { names: number }
}

/** A folder on the way: as it is named, and where it really is. */
interface Place {
  readonly path: string
  readonly real: string
}

interface Entry extends Place {
  readonly kind: Listed['kind']
}

export class Walk {
  readonly found: string[] = []
  readonly problems: GlobProblem[] = []
  root = '/'
  readonly #options: WalkOptions

  constructor(options: WalkOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { pattern, ctx } = this.#options
    if (!pattern.startsWith('/') || /\{[^}]*\//.test(pattern)) {
      return this.#problem(
        'failed',
        `${printable(pattern)}: a glob is an absolute path, its braces within one component`,
      )
    }
    const parts = components(pattern)
    const literal = parts.findIndex(isWildcard)
    if (literal === -1) return this.#literal(`/${parts.join('/')}`)
    this.root = `/${parts.slice(0, literal).join('/')}`
    await this.#guarded(this.root, async () => {
      const { path: real } = await resolvePath(ctx, this.root)
      await this.#walk({ path: this.root, real }, parts.slice(literal))
    })
    if (this.found.length + this.problems.length === 0) {
      this.#problem('skipped', `nothing matches ${printable(pattern)}`, true)
    }
  }

  /** A path without wildcards: on a mount that is not touched here, whoever opens it finds out. */
  async #literal(path: string): Promise<void> {
    this.root = path.slice(0, path.lastIndexOf('/')) || '/'
    try {
      await resolvePath(this.#options.ctx, path, true)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        return this.#problem('skipped', `${printable(path)} does not exist`, true)
      }
      if (!(error instanceof DangerousMountError)) return this.#report(path, error)
    }
    this.found.push(path)
  }

  async #walk(place: Place, parts: readonly string[]): Promise<void> {
    const [part = '', ...rest] = parts
    if (part === '**') return this.#globstar(place, rest.length > 0 ? rest : ['*'], 0)
    if (!isWildcard(part)) {
      const entry = await this.#named(place, part)
      if (entry) await this.#step(entry, rest)
      return
    }
    const matches = picomatch(part, { noextglob: true, nonegate: true, strictBrackets: false })
    for (const entry of await this.#list(place)) {
      if (matches(entry.path.slice(entry.path.lastIndexOf('/') + 1))) await this.#step(entry, rest)
    }
  }

  async #step(entry: Entry, rest: readonly string[]): Promise<void> {
    if (rest.length === 0) {
      if (entry.kind !== 'folder' || this.#options.folders) this.found.push(entry.path)
      return
    }
    const folder = entry.kind === 'link' ? await this.#sysfsFolder(entry) : entry
    if (folder?.kind === 'folder') await this.#guarded(entry.path, () => this.#walk(folder, rest))
  }

  async #globstar(place: Place, rest: readonly string[], depth: number): Promise<void> {
    await this.#guarded(place.path, () => this.#walk(place, rest))
    const { mounts } = this.#options
    const folders = (await this.#list(place)).filter(({ kind }) => kind === 'folder')
    for (const folder of folders) {
      if (
        folder.path.slice(place.path.length + 1).startsWith('.') ||
        mounts.at(folder.real) !== mounts.at(place.real)
      ) {
        continue
      }
      if (depth < mostFolders) await this.#globstar(folder, rest, depth + 1)
      else this.#problem('partial', `${printable(folder.path)} is deeper than ${mostFolders} folders: not walked`)
    }
  }

  async #named(place: Place, name: string): Promise<Entry | undefined> {
    const [path, real] = [join(place.path, name), join(place.real, name)]
    try {
      const { stats } = await resolvePath(this.#options.ctx, real, true)
      const kind = kindOf(stats)
      return { path, real, kind: kind === 'directory' ? 'folder' : kind === 'link' ? 'link' : 'file' }
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'ENOENT' && code !== 'ENOTDIR') await this.#report(path, error)
      return undefined
    }
  }

  async #list(place: Place): Promise<Entry[]> {
    const { mounts, ctx, budget } = this.#options
    const mount = mounts.dangerous(place.real)
    if (mount) {
      await this.#report(place.path, new DangerousMountError(mount, place.real))
      return []
    }
    try {
      const entries = await listFolder(ctx, place.real, budget.names)
      budget.names -= entries.length
      if (budget.names <= 0) this.#problem('partial', `stopped: more names than are looked at for one artifact`)
      return entries.map(({ name, kind }) => ({ path: join(place.path, name), real: join(place.real, name), kind }))
    } catch (error) {
      await this.#report(place.path, error)
      return []
    }
  }

  async #sysfsFolder({ path, real }: Entry): Promise<Entry | undefined> {
    const { mounts, ctx } = this.#options
    if (mounts.at(real)?.type !== 'sysfs') return undefined
    const target = await resolvePath(ctx, real)
    return isUnder(target.path, '/sys') && target.stats.isDirectory()
      ? { path, real: target.path, kind: 'folder' }
      : undefined
  }

  async #guarded(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.#report(path, error)
    }
  }

  async #report(path: string, error: unknown): Promise<void> {
    this.#options.ctx.signal.throwIfAborted()
    const code = errorCode(error)
    // A folder that is gone, or never was, is nothing to match.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') return
    const known = await accessError(this.#options.ctx, path, error)
    if (known instanceof SourceError) return this.#problem(known.outcome, known.message)
    this.#problem('failed', `${printable(path)} cannot be listed: ${code ?? String(error)}`)
  }

  #problem(outcome: Outcome, detail: string, absent = false): void {
    const { pattern } = this.#options
    if (this.problems.some((known) => known.detail === detail)) return
    this.problems.push({ pattern, outcome, detail, ...(absent ? { absent } : {}) })
  }
}

function isWildcard(part: string): boolean {
  return /[*?[{\\]/.test(part)
}

function join(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}
