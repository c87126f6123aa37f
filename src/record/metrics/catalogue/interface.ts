/** A network interface: /proc/net/dev. */
import { increase, metricsOf, otelCounter, perSecond, prom } from './define.ts'

const { counter } = metricsOf('interface')

/** As node_exporter counts: what was dropped contains what was missed for want of a buffer. */
const KINDS = {
  bytes: ['bytes', 'Bytes', 'system.network.io', 'By'],
  packets: ['packets', 'Packets', 'system.network.packet.count', '{packet}'],
  errors: ['errs', 'Errors', 'system.network.errors', '{error}'],
  drops: ['drop', 'Packets dropped', 'system.network.packet.dropped', '{packet}'],
} as const

export const INTERFACE = Object.entries(KINDS).flatMap(([kind, [prometheus, what, otel, unit]]) =>
  (['receive', 'transmit'] as const).map((direction) =>
    counter(`${direction}_${kind}`, `${what}, ${direction === 'receive' ? 'receiving' : 'transmitting'}.`, {
      kept:
        kind === 'bytes' || kind === 'packets'
          ? perSecond(`${direction}_${kind}_per_second`)
          : increase(`${direction}_${kind}`),
      prometheus: prom(`node_network_${direction}_${prometheus}_total`),
      otel: otelCounter(otel, unit, { 'network.io.direction': direction }, `${what}.`),
    }),
  ),
)
