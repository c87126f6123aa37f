/** The age of Debian, as those who get bundles use it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'

const hasAge = spawnSync('age', ['--version']).status === 0
if (!hasAge && process.env.CI) throw new Error('this needs age (Debian package age)')

export function describeWithAge(title: string, body: () => void): void {
  describe.runIf(hasAge)(`${hasAge ? '' : 'SKIPPED: needs age (Debian package age): '}${title}`, body)
}

export interface KeyPair {
  /** The secret half, as age-keygen writes it. */
  readonly file: string
  /** The public half. */
  readonly recipient: string
  /** The line of the file that is the secret. */
  readonly identity: string
}

export function keyPair(folder: string): KeyPair {
  const file = join(folder, `${randomUUID()}.key`)
  execFileSync('age-keygen', ['-o', file], { stdio: 'pipe' })
  const recipient = execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim()
  return { file, recipient, identity: /^AGE-SECRET-KEY-1.*$/m.exec(readFileSync(file, 'utf8'))![0] }
}

/** What `age -d` makes of it. */
export function ageOpens(encrypted: Buffer, { file }: KeyPair): { whole: boolean; plain: Buffer; stderr: string } {
  const { status, stdout, stderr } = spawnSync('age', ['-d', '-i', file], { input: encrypted, maxBuffer: 1e9 })
  return { whole: status === 0, plain: stdout, stderr: stderr.toString() }
}
