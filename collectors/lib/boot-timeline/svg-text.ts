/** Texts in a picture. No I/O. */
import { oneLine } from '../proc-text.ts'
import { WIDTH_PX } from './svg-style.ts'

/** For texts and attributes of XML, which knows no control characters and no halves of characters. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"']/g, (c) => entities[c]!)
}

export function text(x: number, y: number, content: string, className: string): string {
  return `<text class="${className}" x="${x.toFixed(1)}" y="${y}">${escaped(oneLine(content))}</text>`
}

const LINE_PX = 17
const LINE_CHARS = Math.floor((WIDTH_PX - 48) / 7.2)

/** Each text on lines of its own; the next free line. */
export function wrappedText(x: number, y: number, texts: readonly string[], className: string) {
  const lines = texts.flatMap((each) => broken(oneLine(each)))
  const svg = lines.map((line, at) =>
    text(x + (line.startsWith('  ') ? 14 : 0), y + at * LINE_PX, line.trim(), className),
  )
  return { svg: svg.join('\n'), endPx: y + lines.length * LINE_PX }
}

function broken(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > LINE_CHARS) {
      lines.push(line)
      line = `  ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line.slice(0, LINE_CHARS)]
}
