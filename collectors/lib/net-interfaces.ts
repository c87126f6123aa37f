/** Network interfaces out of /sys/class/net, one row each. */
import type { Kit } from '../../src/collector.ts'
import { inParallel, table } from './proc-text.ts'

/** A host of many containers has a thousand; more are counted. */
const mostInterfaces = 2000
const facts = ['operstate', 'carrier', 'carrier_changes', 'mtu', 'speed', 'duplex', 'address'] as const
const counters = [
  'rx_bytes',
  'rx_packets',
  'rx_errors',
  'rx_dropped',
  'tx_bytes',
  'tx_packets',
  'tx_errors',
  'tx_dropped',
] as const

/** State and counters; the ones that lose packets first. Speed in Mbit/s; `-` where the driver does not tell. */
export async function interfacesText(kit: Kit): Promise<string> {
  const names = await kit.list('/sys/class/net')
  const looked = await inParallel(names.slice(0, mostInterfaces), 8, kit.signal, async (name) => {
    const at = (path: string) => kit.read(`/sys/class/net/${name}/${path}`)
    const values = await Promise.all([...facts.map(at), ...counters.map((counter) => at(`statistics/${counter}`))])
    return [name, ...values.map((value) => (value?.trim() || '-').replace(/^-1$/, '-'))]
  })
  const problems = (row: string[]) => [3, 4, 7, 8].reduce((sum, at) => sum + (Number(row[facts.length + at]) || 0), 0)
  const rows = looked.sort((a, b) => problems(b) - problems(a))
  const cut = names.length > mostInterfaces ? `CUT: ${names.length - mostInterfaces} more interfaces.\n` : ''
  const titles = ['NAME', 'STATE', 'CARRIER', '>CHANGES', '>MTU', '>MBIT/S', 'DUPLEX', 'ADDRESS']
  const counted = counters.map((name) => `>${name.replace('_', ' ').toUpperCase()}`)
  return `Interfaces, most errors and drops first; CHANGES: how often the carrier came or went since boot.\n${cut}\n${table([...titles, ...counted], rows)}`
}
