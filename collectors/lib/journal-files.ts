/** The files of the journal, and which of them journald found damaged. */
import type { Kit } from '../../src/collector.ts'

/** One line a file. Thousands of files mean a configuration gone wrong; the newest part of their list is enough. */
const mostFiles = 1000

export async function journalFilesText(kit: Kit): Promise<string> {
  const files = await journalFiles(kit)
  const lines = await Promise.all(files.slice(-mostFiles).map((path) => line(kit, path)))
  const more = files.length > mostFiles ? `… ${files.length - mostFiles} files left out here\n` : ''
  const damaged = files.filter((path) => path.endsWith('~')).length
  const verdict = `${files.length} files, ${damaged} set aside by journald: not closed cleanly, or damaged (name ends with ~)\n`
  return `${verdict}\n${more}${lines.join('')}`
}

export const journalFiles = (kit: Kit): Promise<string[]> =>
  kit.glob('/run/log/journal/*/*.journal{,~}', '/var/log/journal/*/*.journal{,~}')

/** Why a user does not see the whole journal; undefined for who does. Without rights journalctl finds nothing, and says so aside. */
export async function journalLacks(kit: Kit): Promise<string | undefined> {
  if (kit.host.uid === 0 || (await kit.missing({ command: 'journalctl' })) !== undefined) return undefined
  const asked = await kit.run`journalctl --no-pager -n 0`.catch(() => undefined)
  if (!/not seeing messages|insufficient permissions/i.test(asked?.stderr ?? '')) return undefined
  return 'the whole journal needs root or membership of the group systemd-journal'
}

async function line(kit: Kit, path: string): Promise<string> {
  const facts = await kit.stat(path)
  if (facts === undefined) return `${'?'.padStart(14)}  ${'?'.padEnd(24)}  ${path}\n`
  return `${String(facts.sizeBytes).padStart(14)}  ${new Date(facts.mtimeMs).toISOString()}  ${path}\n`
}
