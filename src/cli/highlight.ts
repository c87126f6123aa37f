/** Masked text on a terminal: masks stand out, and whatever else is in it moves no cursor. */
import { forTerminal } from '../terminal.ts'
import { MASK } from '../redact/mask.ts'

const REVERSE = '\x1b[7m'
const PLAIN = '\x1b[27m'

/** Lines, tabs and masks stay what they are. */
const KEPT = new RegExp(String.raw`(\r?\n|\t|${MASK.source})`)
/** The begin of a mask, or of a line's end, whose rest is not there yet. */
const OPEN_END = /(?:\r|<[a-z0-9:-]{0,63})$/

export interface TerminalView {
  push(bytes: Uint8Array): string
  end(): string
}

export function terminalView(): TerminalView {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let waiting = ''
  return {
    push(bytes) {
      const text = waiting + decoder.decode(bytes, { stream: true })
      const open = OPEN_END.exec(text)
      waiting = open ? open[0] : ''
      return shown(open ? text.slice(0, open.index) : text)
    },
    end() {
      const rest = waiting + decoder.decode()
      waiting = ''
      return shown(rest)
    },
  }
}

function shown(text: string): string {
  return text
    .split(KEPT)
    .map((part, index) => {
      if (index % 2 === 0) return forTerminal(part)
      return part.startsWith('<') ? `${REVERSE}${part}${PLAIN}` : part.replace('\r', '')
    })
    .join('')
}
