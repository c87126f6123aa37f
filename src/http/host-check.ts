/**
 * What a browser can be made to ask for by a page of somebody else, and how it is told from a request that was meant.
 * On a loopback address the browser runs on this machine, and what it reaches needs no credential under `auth: none`.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { HttpError } from './errors.ts'

/**
 * Against DNS rebinding: a page's own name that suddenly points here. That takes a name, so addresses pass.
 * @throws HttpError
 */
export function checkHost(host: string, hosts: readonly string[]): void {
  const name = hostName(host)
  if (name !== undefined && (isIP(name) > 0 || name === 'localhost' || hosts.some((known) => same(known, name)))) return
  const accepted = ['localhost', 'any IP address', ...hosts].join(', ')
  const detail = `the header Host names ${quoted(host)}; accepted: ${accepted}; another name is added by the key hosts of config.yaml`
  throw new HttpError('wrong-host', detail)
}

/**
 * Against pages of other sites, which can send a request and never read its answer: it would start a bundle all the same.
 * No page can add a bearer token without asking first (a preflight, which is refused), so a request with one was meant;
 * a client certificate the browser adds by itself.
 * @throws HttpError
 */
export function checkSite({ headers }: IncomingMessage): void {
  if (/^bearer /i.test(headers.authorization ?? '')) return
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  // `same-site` is another port of this host, or a sibling of its name: another program all the same.
  if (site !== undefined && site !== 'none' && site !== 'same-origin') throw foreign('Sec-Fetch-Site', site)
  if (origin !== undefined && !isOriginOf(origin, host)) throw foreign('Origin', origin)
}

function foreign(header: string, value: string): HttpError {
  const detail =
    `the header ${header} says ${quoted(value)}: a page of another site asks, and there is no CORS; ` +
    'accepted: requests of this site, of the address bar, of programs, and all with a bearer token'
  return new HttpError('cross-site', detail)
}

function isOriginOf(origin: string, host: string): boolean {
  const authority = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]
  return authority !== undefined && authority.toLowerCase() === host.toLowerCase()
}

/** `NAME`, `NAME:PORT` or `[IPv6]:PORT`; undefined when it is none of these. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:@/\s]+))(?::\d{1,5})?$/.exec(host)
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '').toLowerCase()
}

function same(known: string, name: string): boolean {
  return known.toLowerCase() === name
}

/** Enough to recognise it by. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
