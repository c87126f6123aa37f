/** Network interfaces: /proc/net/dev. */
import type { Files } from './files.ts'
import { known, type Part, type Reader } from './reader.ts'

/** Bridges of many container networks come and go; more are counted. */
const MOST_INTERFACES = 64

/**
 * The host's ends of cables into containers and pods, of Docker, podman, Calico, Cilium and the clouds' own networks: their
 * names are made up anew with each container, and what goes through them is in the numbers of bridges and cards.
 */
const cable = /^(?:veth|cali|lxc(?!br)|eni[0-9a-f]{11}$|gke[0-9a-f]{11}$|azv)/

export function interfacesReader(files: Files): Reader {
  return {
    name: 'interfaces',
    read(): Part {
      const lines = (files.text('/proc/net/dev') ?? '').split('\n').filter((line) => line.includes(':'))
      const found = lines.map((line) => {
        const colon = line.indexOf(':')
        return {
          device: line.slice(0, colon).trim(),
          numbers: line
            .slice(colon + 1)
            .trim()
            .split(/ +/)
            .map(Number),
        }
      })
      const rows = found
        .filter(({ device }) => !cable.test(device))
        .slice(0, MOST_INTERFACES)
        .map(({ device, numbers }) => ({
          subject: 'interface' as const,
          labels: { device },
          values: counters(numbers),
        }))
      return { host: { left_out_interface_count: found.length - rows.length }, rows }
    },
  }
}

function counters(numbers: readonly number[]) {
  return known({
    receive_bytes: numbers[0],
    receive_packets: numbers[1],
    receive_errors: numbers[2],
    receive_drops: numbers[3],
    transmit_bytes: numbers[8],
    transmit_packets: numbers[9],
    transmit_errors: numbers[10],
    transmit_drops: numbers[11],
  })
}
