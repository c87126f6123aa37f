/** A private key that a rotation or the limit of an entry cut in two: nothing of it is in a bundle. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/config/limits.ts'
import { collector, makeBundle } from '../helpers/make-bundle.ts'
import { ownFolder } from '../helpers/source.ts'
import { random } from '../redact/mask-all.ts'

const ENTRY_BYTES = 256 * 1024

test('what a rotation or a limit leaves of a private key is not in a bundle', async () => {
  const root = await ownFolder()
  const folder = join(root, 'srv/app')
  await mkdir(folder, { recursive: true })
  const keys: string[][] = []
  const key = (count = 25) => {
    const body = Array.from({ length: count }, () => random(64, 'base64'))
    keys.push(body)
    return ['-----BEGIN RSA PRIVATE KEY-----', ...body, '-----END RSA PRIVATE KEY-----']
  }
  const line = (index: number) => `2026-11-21T14:21:43Z app line ${index} ${random(20, 'hex')}`
  const lines = (count: number) => Array.from({ length: count }, (_, index) => line(index))
  const rotated = key()
  await writeFile(join(folder, 'rotated.log.1'), `${[...lines(100), ...rotated.slice(0, 12)].join('\n')}\n`)
  await writeFile(join(folder, 'rotated.log'), `${[...rotated.slice(12), ...lines(100)].join('\n')}\n`)
  // Little else than keys: wherever the tail begins, it begins within one.
  const full = Array.from({ length: 300 }, (_, index) => [...key(), line(index)]).flat()
  await writeFile(join(folder, 'full.log'), `${full.join('\n')}\n`)
  const app = collector(function* (kit) {
    yield kit.logs('/srv/app/*').as('app/')
  })
  const bundle = await makeBundle(
    { app },
    { deps: { root }, request: { limits: { ...DEFAULT_LIMITS, entryBytes: ENTRY_BYTES } } },
  )
  const text = [...bundle.files.values()].map((content) => content.toString('latin1')).join('\n')
  const left = keys.flat().filter((letters) => text.includes(letters.slice(0, 16)) || text.includes(letters.slice(-16)))
  expect(left).toEqual([])
  expect(text).toContain('left out here')
  expect(text).toContain('app line 99 ')
})
