/** Facts about the host that everything else is named by and dated with. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { HostFacts } from '../collector.ts'

/** @param node the configured name; else the cloud's instance id, else the host name. */
export function hostFacts(node: string | undefined, root = ''): HostFacts {
  return {
    node: safeName(node ?? instanceId(root) ?? hostname()),
    hostname: hostname(),
    bootId: text(`${root}/proc/sys/kernel/random/boot_id`) ?? 'unknown',
    uid: process.geteuid!(),
    timeZone: timeZone(root),
    systemd: text(`${root}/proc/1/comm`) === 'systemd',
  }
}

/** Epoch milliseconds at which the kernel started; undefined where /proc does not tell. */
export function bootTimeMs(root = ''): number | undefined {
  const seconds = /^btime (\d+)$/m.exec(text(`${root}/proc/stat`) ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

function instanceId(root: string): string | undefined {
  return text(`${root}/run/cloud-init/.instance-id`) ?? text(`${root}/var/lib/cloud/data/instance-id`)
}

/** Whether root's files can be read, by root or by who has the capability. */
export function mayReadAll(root = ''): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(text(`${root}/proc/self/status`) ?? '')?.[1]
  return effective !== undefined && (BigInt(`0x${effective}`) & CAP_DAC) > 0n
}

/** CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, as bits (linux/capability.h). */
const CAP_DAC = (1n << 1n) | (1n << 2n)

/**
 * The host's zone from /etc/localtime (systemd's own convention) or Debian's /etc/timezone, never from our environment. Not
 * looked up: ICU takes 20 ms to load, at every start.
 */
function timeZone(root: string): string {
  const zone = link(`${root}/etc/localtime`)?.split('/zoneinfo/')[1] ?? text(`${root}/etc/timezone`)
  return zone !== undefined && /^[A-Za-z][\w+/-]{0,63}$/.test(zone) ? zone : 'UTC'
}

/** Safe in a file name and a header: letters, digits, dots, dashes and underscores, at most 63 of them as in a host name. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[.-]+|[.-]+$/g, '')
  return safe.slice(0, 63) || 'node'
}

function text(path: string): string | undefined {
  try {
    const content = readFileSync(path, 'utf8').trim()
    return content === '' ? undefined : content
  } catch {
    return undefined
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
