/**
 * Names inside the archive: confined to the top folder, unique, and extractable everywhere.
 *
 * What a file system allows and an archive had better not carry is percent-encoded: control bytes, backslashes, bytes
 * that are not UTF-8, and `%` itself, so that the original can be read back. The manifest has it in `origin`.
 */
import { createHash } from 'node:crypto'

/** Component length in bytes that leaves room for `.part-0002` and `.error.txt` within the 255 of Linux file systems. */
const COMPONENT_BYTES = 200

export class EntryPathError extends Error {
  override name = 'EntryPathError'
}

export class EntryPaths {
  readonly #taken = new Set<string>()

  /** Encodes, confines and reserves a path. Throws EntryPathError when it leads out, is empty, or is taken already. */
  claim(path: string): string {
    const safe = encodeEntryPath(path)
    // A file `a` and a folder `a/` cannot both be extracted.
    const folders = safe.split('/').slice(0, -1)
    const clash =
      this.#taken.has(safe) || this.#taken.has(`${safe}/`) || prefixes(folders).some((p) => this.#taken.has(p))
    if (clash) throw new EntryPathError(`another entry of this bundle already has the path "${safe}"`)
    this.#taken.add(safe)
    for (const folder of prefixes(folders)) this.#taken.add(`${folder}/`)
    return safe
  }
}

/** @throws EntryPathError naming what is wrong with the path. */
export function encodeEntryPath(path: string): string {
  const components = path.split('/')
  if (path.startsWith('/'))
    throw new EntryPathError(`the path ${JSON.stringify(path)} is absolute; it has to be relative`)
  for (const component of components) {
    if (component === '' || component === '.' || component === '..') {
      throw new EntryPathError(`the path ${JSON.stringify(path)} has an empty, "." or ".." component`)
    }
  }
  return components.map(encodeComponent).join('/')
}

function encodeComponent(component: string): string {
  const encoded = component.replaceAll(/[\u0000-\u001f\u007f-\u009f\\%\ufffd\ud800-\udfff]/gu, (character) =>
    bytesOf(character)
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
  if (Buffer.byteLength(encoded) <= COMPONENT_BYTES) return encoded
  const digest = createHash('sha256').update(encoded).digest('hex').slice(0, 8)
  return `${cut(encoded, COMPONENT_BYTES - 9)}~${digest}`
}

/** UTF-8; a byte of a name that is not UTF-8 stands as a lone surrogate U+DC80 … U+DCFF (PEP 383, sources/paths.ts). */
function bytesOf(character: string): number[] {
  const code = character.charCodeAt(0)
  return character.length === 1 && code >= 0xdc80 && code <= 0xdcff ? [code & 0xff] : [...Buffer.from(character)]
}

/** The longest beginning of at most that many bytes that splits neither a character nor a percent code. */
function cut(text: string, bytes: number): string {
  let kept = ''
  let length = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    length += Buffer.byteLength(segment)
    if (length > bytes) break
    kept += segment
  }
  return kept.replace(/%[0-9A-F]?$/, '')
}

function prefixes(folders: readonly string[]): string[] {
  return folders.map((_, index) => folders.slice(0, index + 1).join('/'))
}
