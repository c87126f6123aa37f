/** Addresses, host and user names made pseudonymous, on request: the same stays the same, and nobody sees what it is. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Sweep } from './redactor.ts'

/** Names that are known on this machine; what else a log names cannot be told from any other word. */
export interface PseudonymFacts {
  readonly hosts: readonly string[]
  readonly users: readonly string[]
}

const IPV4 = String.raw`(?<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w))`
const MAC = String.raw`(?<mac>(?<![\w:])[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}(?![\w:]))`
const IPV6 = String.raw`(?<six>(?<![\w:.])(?:[0-9a-fA-F]{1,4}|:)(?::[0-9a-fA-F]{0,4}){1,7}(?![\w:]))`

export function pseudonymSweep({ hosts, users }: PseudonymFacts): Sweep {
  const named = { host: alternatives(hosts), user: alternatives(users) }
  const names = Object.entries(named).map(([group, text]) =>
    text === '' ? '' : String.raw`|(?<${group}>(?<![A-Za-z0-9_])(?:${text})(?![A-Za-z0-9_]))`,
  )
  const regExp = new RegExp(`${IPV4}|${MAC}|${IPV6}${names.join('')}`, 'g')
  return {
    id: 'pseudonym',
    rank: 0,
    find({ text }, from, to) {
      const found: { start: number; end: number; kind: string }[] = []
      regExp.lastIndex = from
      for (let match = regExp.exec(text); match && match.index < to; match = regExp.exec(text)) {
        const kind = kindOf(match.groups!)
        if (kind) found.push({ start: match.index, end: match.index + match[0].length, kind })
      }
      return found
    },
  }
}

/** Addresses that are the same everywhere tell nothing of this machine. */
function kindOf({ ip, mac, six, host }: Record<string, string | undefined>): string | undefined {
  if (ip !== undefined) return isIPv4(ip) && !/^(?:127\.|0\.|255\.)/.test(ip) ? 'ip' : undefined
  if (six !== undefined) return isIPv6(six) && !/^(?:::1?|fe80::|ff0\w::\w*)$/.test(six) ? 'ip' : undefined
  if (mac !== undefined) return /^(?:00[:-]){5}00$|^(?:ff[:-]){5}ff$/i.test(mac) ? undefined : 'mac'
  return host === undefined ? 'user' : 'host'
}

/** Longest first: a host's full name before its first part. */
function alternatives(names: readonly string[]): string {
  return [...new Set(names)]
    .filter((name) => name.length >= 2 && !EVERYWHERE.has(name.toLowerCase()))
    .toSorted((a, b) => b.length - a.length)
    .map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('|')
}

/** Names that every machine has. */
const EVERYWHERE = new Set([
  'localhost',
  'localdomain',
  'root',
  'nobody',
  'daemon',
  'debian',
  'ubuntu',
  'admin',
  'user',
])
