/** The PIN of a SIM card: `pin` is a word of hardware too, so what stands before it has to say which it is. */
import { linesBefore } from '../pairs/frame.ts'
import type { Rule } from '../rule.ts'

export const PIN_RULES: readonly Rule[] = [
  {
    id: 'pin',
    title: 'PIN of a SIM card in NetworkManager, wpa_supplicant, netplan and mmcli',
    anchors: ['pin=', 'pin:', 'pin ='],
    rank: 1,
    find(view, at) {
      const { text } = view
      // What most often rules it out costs least: lines are looked at only behind white space or a line break written out.
      if (!/[\s-]$|\\n$/.test(text.slice(Math.max(0, at - 2), at))) return undefined
      if (!isTelling(text.slice(Math.max(0, at - BEHIND), at)) || !isOfCard(linesBefore(view, at, BEHIND)))
        return undefined
      PIN.lastIndex = at
      const match = PIN.exec(text)
      if (!match) return undefined
      const [start, end] = match.indices!.groups!.secret!
      return { spans: [{ start, end }] }
    },
    canary: (random) => {
      const secret = random(12, 'hex')
      return { text: `[gsm]\napn=internet\npin=${secret}\n`, secrets: [secret] }
    },
  },
]

/** Within what may be looked back at (see stream.ts). */
const BEHIND = 1000

const PIN = /pin(?: ?= ?|: {1,4})["']?(?!<masked:)(?<secret>[^\s"'<\\]{1,64})/dy

function isOfCard(before: string): boolean {
  if (before.endsWith('--')) return /\bmmcli[ \t][^\n]{0,200}$/.test(before.slice(-210))
  // The first thing on its line.
  return /\n[ \t]{0,40}$/.test(before.slice(-41)) && CONTEXTS.some((one) => one.test(before))
}

function isTelling(before: string): boolean {
  return TELLING.some((word) => before.includes(word))
}

const TELLING = ['[gsm]', '[cdma]', '[802-1x]', 'network={', 'modems:', 'mmcli']

const CONTEXTS = [
  // A section of a keyfile, perhaps indented as part of another file, and nothing but its lines in between.
  /(?:^|\n)[ \t]*\[(?:gsm|cdma|802-1x)\]\r?\n(?:(?![ \t]*\[)[^\n]*\n)*[ \t]*$/,
  /(?:^|\n)[ \t]*network=\{[ \t]*\r?\n(?:(?![ \t]*\})[^\n]*\n)*[ \t]*$/,
  // Deeper than what it stands below.
  /(?:^|\n)([ \t]*)modems:[ \t]*\r?\n(?:\1[ \t]+[^\n]*\n)*\1[ \t]+$/,
]
