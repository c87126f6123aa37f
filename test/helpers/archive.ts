/** Reading archives back, with other people's tools. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

/** A sink that keeps everything. */
export function memorySink(): { write(chunk: Buffer): Promise<void>; bytes(): Buffer } {
  const chunks: Buffer[] = []
  return {
    write: async (chunk) => void chunks.push(Buffer.from(chunk)),
    bytes: () => Buffer.concat(chunks),
  }
}

/** A folder of the test's own, removed by the returned function. */
export function temporaryFolder(prefix = 'diagd-test-'): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), prefix))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

const FLAGS = { 'tar.gz': '-z', 'tar.zst': '--zstd', tar: '' }

/** Path → content of every file, as GNU tar extracts them. */
export function extract(archive: Buffer, format: keyof typeof FLAGS = 'tar.gz'): Map<string, Buffer> {
  const { path, remove } = temporaryFolder()
  try {
    const file = join(path, 'archive')
    const out = join(path, 'out')
    writeFileSync(file, archive)
    execFileSync('mkdir', [out])
    execFileSync('tar', ['-x', ...(FLAGS[format] ? [FLAGS[format]] : []), '-f', file, '-C', out], { stdio: 'pipe' })
    return new Map(walk(out).map((found) => [relative(out, found), readFileSync(found)]))
  } finally {
    remove()
  }
}

/** Names in the order of the archive. */
export function listNames(archive: Buffer): string[] {
  return execFileSync('tar', ['-tz'], { input: archive, maxBuffer: 1e9 }).toString().trim().split('\n')
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}
