/** The key of the node: made once, used by everybody who may, and not at all when others could read it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { nodeKey } from '../../src/redact/node-key.ts'
import { temporaryFolder } from '../helpers/archive.ts'

let folder: ReturnType<typeof temporaryFolder>
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'state', 'redaction.key')
})
afterEach(() => folder.remove())

test('is made with its folder, kept, and nothing else is left there', async () => {
  const made = await nodeKey(path)
  expect(made).toEqual({ kept: 'node', bytes: expect.any(Uint8Array) })
  expect(readFileSync(path).equals(made.bytes)).toBe(true)
  expect(made.bytes).toHaveLength(32)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
  expect(readdirSync(dirname(path))).toEqual(['redaction.key'])
  expect(await nodeKey(path)).toEqual(made)
})

test('many at the same moment have one key', async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, () => nodeKey(path)))
  for (const { kept, bytes } of keys) {
    expect(kept).toBe('node')
    expect(readFileSync(path).equals(bytes)).toBe(true)
  }
  expect(readdirSync(dirname(path))).toEqual(['redaction.key'])
})

describe('is not used, and said, when it is', () => {
  const key = Buffer.alloc(32, 5)
  it.each<[string, RegExp, () => void]>([
    ['readable for its group', /can be read by others; it has to be a file of mode 0600$/, () => kept(key, 0o640)],
    ['readable for all', /can be read by others/, () => kept(key, 0o604)],
    ['too short', /holds 31 bytes; a key has 32$/, () => kept(key.subarray(1), 0o600)],
    ['empty', /holds 0 bytes/, () => kept(key.subarray(32), 0o600)],
    ['a link', /ELOOP/, () => (writeFileSync(join(folder.path, 'k'), key, { mode: 0o600 }), symlinkSync('../k', path))],
    ['a folder', /has to be a file/, () => mkdirSync(path, { mode: 0o700 })],
    ['a FIFO', /has to be a file/, () => execFileSync('mkfifo', ['-m', '600', path])],
  ])('%s', async (_, problem, make) => {
    mkdirSync(dirname(path))
    make()
    const one = await nodeKey(path)
    expect(one).toMatchObject({ kept: 'process', problem: expect.stringMatching(problem) })
    expect(one.bytes).toHaveLength(32)
    expect(Buffer.from(one.bytes).equals(key)).toBe(false)
    expect(Buffer.from((await nodeKey(path)).bytes).equals(one.bytes)).toBe(false)
  })
})

test('lives as long as the process where there is no place for it', async () => {
  writeFileSync(dirname(path), 'a file')
  expect(await nodeKey(path)).toMatchObject({ kept: 'process', problem: expect.stringContaining('ENOTDIR') })
})

test('a disk that takes nothing leaves no half of a key', async () => {
  const module = JSON.stringify(new URL('../../src/redact/node-key.ts', import.meta.url).href)
  const script = `import { nodeKey } from ${module}; console.log(JSON.stringify(await nodeKey(${JSON.stringify(path)})))`
  const shell = `trap '' XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1"`
  const said = execFileSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' })
  expect(JSON.parse(said)).toMatchObject({ kept: 'process', problem: expect.stringContaining('EFBIG') })
  expect(readdirSync(dirname(path))).toEqual([])
  expect(await nodeKey(path)).toMatchObject({ kept: 'node' })
})

function kept(bytes: Uint8Array, mode: number): void {
  writeFileSync(path, bytes)
  chmodSync(path, mode)
}
