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

/** The host's zone from /etc/localtime (systemd's own convention) or Debian's /etc/timezone, never from our environment. */
function timeZone(root: string): string {
  const zone = link(`${root}/etc/localtime`)?.split('/zoneinfo/')[1] ?? text(`${root}/etc/timezone`) ?? 'UTC'
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
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
