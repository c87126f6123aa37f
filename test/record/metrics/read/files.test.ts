import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createFiles } from '../../../../src/record/metrics/read/files.ts'
import { addTo, treeOf } from './machine.ts'

describe('files of /proc', () => {
  test.each(['text', 'bytes'] as const)(
    'longer than the buffer are read to their end, the first one too: %s',
    (how) => {
      const long = Array.from({ length: 30_000 }, (_, at) => `line ${at}\n`).join('')
      const files = createFiles(treeOf({ 'proc/long': long, 'proc/short': 'x' }))
      expect(files[how]('/proc/long')?.toString()).toBe(long)
      expect(files[how]('/proc/short')?.toString()).toBe('x')
    },
  )

  test('that the kernel hands out in pieces are read to their end', () => {
    const files = createFiles('')
    expect(files.text('/proc/net/protocols')).toBe(readFileSync('/proc/net/protocols', 'latin1'))
  })

  test('that are not there are undefined, and folders empty', () => {
    const files = createFiles(treeOf({ 'proc/file': 'x' }))
    expect([files.text('/proc/none'), files.line('/proc/file/below'), files.bytes('/none')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(files.names('/proc/none')).toEqual([])
  })

  test('that cannot be read are an error that names them', () => {
    const root = treeOf({})
    addTo(root, { 'proc/folder/x': '' })
    expect(() => createFiles(root).text('/proc/folder')).toThrow('/proc/folder: EISDIR')
  })
})
