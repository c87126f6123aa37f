/**
 * Paths on the host, as strings that lose nothing.
 *
 * A Linux file name is bytes. Here it is text wherever it is valid UTF-8, and each byte that is not becomes one lone
 * surrogate U+DC80…U+DCFF (PEP 383, Python's `surrogateescape`). So ordinary names read as they are, any name can
 * be opened again, and `encodeURIComponent` or a `\p{Surrogate}` test tells the odd ones.
 */
import type { SourceContext } from './source.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a path's bytes. */
export function pathText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return escapedText(bytes)
  }
}

/** The bytes of a path's text: the reverse of `pathText`. */
export function pathBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  const parts: Buffer[] = []
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

/** A path for people: on one line, with `\n` and `\xff` for what cannot be printed. */
export function printable(path: string): string {
  return path.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/gu, (character) => {
    if (character === '\n') return '\\n'
    const code = character.charCodeAt(0)
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
    return `\\u{${code.toString(16)}}`
  })
}

/** Where a path of the host is found by this process: `ctx.root` in front. */
export function onDisk(ctx: Pick<SourceContext, 'root'>, path: string): Buffer {
  return pathBytes(ctx.root + path)
}

/** Whether `path` is `folder` or below it; both without `..`, `.` or doubled slashes. */
export function isUnder(path: string, folder: string): boolean {
  const prefix = folder.endsWith('/') ? folder : `${folder}/`
  return path === folder || path.startsWith(prefix)
}

/** The components of a path, without the empty ones and `.`. */
export function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

/** The first byte of a sequence that is not UTF-8 is escaped, then decoding goes on behind it. */
function escapedText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    text +=
      length === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : strict.decode(bytes.subarray(at, at + length))
    at += length || 1
  }
  return text
}

function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  try {
    strict.decode(bytes.subarray(at, at + length))
    return Math.min(length, bytes.length - at)
  } catch {
    return 0
  }
}
