/** The TCP address, as it is written and as it is used. */
import { isIPv4, isIPv6 } from 'node:net'

export interface Listen {
  readonly host: string
  readonly port: number
}

/** @throws Error; undefined is no TCP at all. */
export function parseListen(value: unknown): Listen | undefined {
  if (value === 'none') return undefined
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(String(value))
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  const known = match?.[1] ? isIPv6(host) : isIPv4(host) || host === 'localhost'
  if (!known || port > 65_535) throw new Error('is not an address and port')
  return { host, port }
}

export function formatListen(listen: Listen | undefined): string {
  if (!listen) return 'none'
  return isIPv6(listen.host) ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`
}
