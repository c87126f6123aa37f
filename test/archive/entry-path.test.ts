import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntryPath, EntryPaths } from '../../src/archive/entry-path.ts'

describe('a path in the archive', () => {
  test.each([
    ['/etc/passwd', 'absolute'],
    ['../up', '".."'],
    ['a/../b', '".."'],
    ['a//b', 'empty'],
    ['', 'empty'],
    ['a/.', '"."'],
  ])('%j is refused: %s', (path, reason) => {
    expect(() => new EntryPaths().claim(path)).toThrow(reason)
  })

  test.each([
    ['plain/name.log', 'plain/name.log'],
    ['with space/ümlaut 日本', 'with space/ümlaut 日本'],
    ['new\nline', 'new%0Aline'],
    ['100%', '100%25'],
    ['back\\slash', 'back%5Cslash'],
    ['esc\u001b[31m', 'esc%1B[31m'],
    ['latin1 \udcfc', 'latin1 %FC'],
  ])('%j becomes %j', (path, encoded) => {
    expect(new EntryPaths().claim(path)).toBe(encoded)
  })

  test('a name of 300 characters is cut to what every file system takes, and stays unique', () => {
    const paths = new EntryPaths()
    const first = paths.claim(`logs/${'x'.repeat(299)}a`)
    const second = paths.claim(`logs/${'x'.repeat(299)}b`)
    expect(Buffer.byteLength(first.split('/')[1]!)).toBeLessThanOrEqual(200)
    expect(first).not.toBe(second)
  })

  test('a name that is taken is refused, as a file or as a folder', () => {
    const paths = new EntryPaths()
    paths.claim('a/b')
    expect(() => paths.claim('a/b')).toThrow('already has the path')
    expect(() => paths.claim('a')).toThrow('already has the path')
    expect(() => paths.claim('a/b/c')).toThrow('already has the path')
    expect(paths.claim('a/c')).toBe('a/c')
  })

  test('whatever goes in, what comes out is confined and free of control bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (path) => {
        let encoded: string
        try {
          encoded = encodeEntryPath(path)
        } catch {
          return
        }
        expect(encoded).not.toMatch(/[\u0000-\u001f\u007f\\]/)
        expect(encoded.startsWith('/')).toBe(false)
        for (const component of encoded.split('/')) {
          expect(['', '.', '..']).not.toContain(component)
          expect(Buffer.byteLength(component)).toBeLessThanOrEqual(200)
        }
      }),
    )
  })
})
