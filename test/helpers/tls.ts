/** Real certificates, made by openssl when a test needs them, and doors that use them. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { buildApp } from '../../src/http/app.ts'
import type { AppDeps } from '../../src/http/app.ts'
import { openTcpDoor } from '../../src/http/tcp-door.ts'
import type { TcpDoor, TcpDoorOptions } from '../../src/http/tcp-door.ts'
import { temporaryFolder } from './archive.ts'

export interface Pair {
  readonly certificate: string
  readonly key: string
}

export interface Authority {
  /** The folder of everything. */
  readonly folder: string
  readonly certificate: string
  /** A certificate for localhost and 127.0.0.1, or whom it was made for; negative days make one that has expired. */
  sign(name: string, options?: { days?: number; subject?: string }): Pair
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function createAuthority(name?: string): Authority {
  const { path: folder, remove } = temporaryFolder('diagd-tls-')
  onTestFinished(remove)
  return createAuthorityIn(folder, { name })
}

/** Whoever made the folder removes it. @param names of whom it signs for, as OpenSSL writes them. */
export function createAuthorityIn(
  folder: string,
  { name = 'a test authority', names = 'DNS:localhost,IP:127.0.0.1' }: { name?: string | undefined; names?: string },
): Authority {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const constraints = ['-addext', 'basicConstraints=critical,CA:TRUE']
  openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', `/CN=${name}`, ...constraints)
  writeFileSync(join(folder, 'names'), `subjectAltName=${names}\n`)
  return {
    folder,
    certificate: join(folder, 'ca.pem'),
    sign(file, { days = 90, subject = '/CN=localhost' } = {}) {
      openssl('req', '-new', ...KEY, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', subject)
      const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
      openssl('x509', '-req', '-in', `${file}.csr`, '-out', `${file}.pem`, '-days', String(days), ...ca)
      return { certificate: join(folder, `${file}.pem`), key: join(folder, `${file}.key`) }
    },
  }
}

/** What a renewal that writes over its files does. */
export function replace(used: Pair, by: Pair): void {
  copyFileSync(by.certificate, used.certificate)
  copyFileSync(by.key, used.key)
}

export interface TlsDoor extends TcpDoor {
  readonly app: FastifyInstance
  readonly port: () => number
  /** `https://localhost:PORT` */
  readonly url: () => string
}

/** Closed when the test is over. */
export async function openDoor(deps: AppDeps, options: Partial<TcpDoorOptions> = {}): Promise<TlsDoor> {
  const app = await buildApp(deps)
  const listen = { host: '127.0.0.1', port: 0 }
  // Nothing happens by itself unless a test wants it to.
  const door = await openTcpDoor(app, { listen, hosts: [], checkMs: 2 ** 31 - 1, tls: undefined, ...options })
  onTestFinished(async () => {
    const closed = door.close()
    door.server()?.closeAllConnections()
    await closed
    await app.close()
  })
  const port = () => (door.server()!.address() as AddressInfo).port
  return {
    ...door,
    app,
    port,
    url: () => `${typeof options.tls === 'object' ? 'https' : 'http'}://localhost:${port()}`,
  }
}

/** Serial number of the certificate that a new connection gets to see. */
export async function servedSerial(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().serialNumber)
    socket.destroy()
  })
  socket.once('error', reject)
  return promise
}

export function serialOf({ certificate }: Pair): string {
  return execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-serial'])
    .toString()
    .trim()
    .replace('serial=', '')
}

export function pem(path: string): string {
  return readFileSync(path, 'latin1')
}
