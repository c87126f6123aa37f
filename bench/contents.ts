/** What is in an archive, whoever made it. */
import { readFileSync, rmSync } from 'node:fs'
import { execa } from 'execa'

export interface Contents {
  /** Regular files; links and folders do not count. */
  readonly files: number
  readonly bytes: number
  readonly secrets: number
}

/** Lines of bench/logs.ts: most of the bytes, and no secret among them. */
const GENERATED = /^.* node-7 .*\n/gm

/** gzip or xz; files in it that are compressed themselves stay so. */
export async function contentsOf(file: string, secretsIn: (text: string) => number): Promise<Contents> {
  const { stdout } = await execa('tar', ['--list', '--verbose', '--file', file])
  const sizes = stdout
    .split('\n')
    .filter((line) => line.startsWith('-'))
    .map((line) => Number(line.split(/ +/)[2]))
  const plain = `${file}.plain`
  try {
    const program = readFileSync(file).subarray(0, 2).toString('hex') === '1f8b' ? 'gzip' : 'xz'
    await execa(program, ['--decompress', '--stdout', '--force', file], { stdout: { file: plain }, buffer: false })
    return {
      files: sizes.length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      secrets: secretsIn(readFileSync(plain, 'latin1').replaceAll(GENERATED, '')),
    }
  } finally {
    rmSync(plain, { force: true })
  }
}
