import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseUploadsKey } from '../../src/config/uploads.ts'
import { targetShape } from '../../src/config/upload-target.ts'
import { FAILURES, TRIGGERS, type UploadState } from '../../src/upload/upload.ts'

const docs = readFileSync(new URL('../../docs/uploads.md', import.meta.url), 'utf8')

/** The first cells of a table, by the words of its head. */
function firstCells(head: string): string[] {
  const [, table = ''] = docs.split(`\n| ${head} |`)
  const rows = table.split('\n\n')[0]!.split('\n').slice(2)
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!))
}

test('every failure says what to do', () => {
  expect(firstCells('kind').toSorted()).toEqual(FAILURES.toSorted())
})

test('every trigger says when it fires, and every state what it means', () => {
  expect(firstCells('trigger').toSorted()).toEqual(TRIGGERS.toSorted())
  const states: Record<UploadState, true> = {
    waiting: true,
    running: true,
    uploaded: true,
    'gave-up': true,
    dropped: true,
  }
  expect(firstCells('state').toSorted()).toEqual(Object.keys(states).toSorted())
})

test('every key of the target is there', () => {
  const told = firstCells('key')
  for (const key of Object.keys(targetShape)) expect(told).toContain(key)
})

test('the examples are accepted', () => {
  const blocks = docs.match(/(?:^ {4}.*\n)+/gm) ?? []
  const keys = blocks.filter((block) => /^ {4}(?:# \/etc.*\n {4})?uploads:/.test(block))
  expect(keys).toHaveLength(2)
  for (const block of keys) expect(parseUploadsKey(block.replace(/^[^]*?uploads:/, ''))).toHaveProperty('target')
  const [, triggers = ''] = docs.split('\n    triggers:\n')
  const flow = triggers.split('\n\n')[0]!
  expect(parseUploadsKey(`target: s3://bkt\ntriggers:\n${flow}`)).toMatchObject({
    triggers: { unit: undefined, container: { perDay: 3 }, disk: { abovePercent: 90 }, pressure: { ioPercent: 40 } },
  })
})
