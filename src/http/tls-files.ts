/** Certificate and key as files: read as one pair that fits, or an error that names the file and what is wrong with it. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContextOptions } from 'node:tls'
import type { TlsFiles } from '../config/tls.ts'

export type TlsPaths = Pick<TlsFiles, 'certificate' | 'key' | 'clientCa'>

export interface LoadedTls {
  readonly context: SecureContextOptions
  /** The server's own certificate, and what else a client needs to trust it or to be trusted. */
  readonly certificate: X509Certificate
}

/** @throws Error */
export async function readTls({ certificate, key, clientCa }: TlsPaths): Promise<LoadedTls> {
  const cert = await readPem(certificate)
  const [own] = certificatesIn(cert, certificate)
  const secret = await readPem(key, { secret: true })
  if (!own!.checkPrivateKey(privateKey(secret, key))) throw new Error(`${key} is not the key of ${certificate}`)
  const context: SecureContextOptions = { cert, key: secret, minVersion: 'TLSv1.2' }
  if (clientCa !== undefined) {
    context.ca = await readPem(clientCa)
    certificatesIn(context.ca, clientCa)
  }
  // What it refuses beyond that (a key too short, say) shows here, and not in every handshake.
  createSecureContext(context)
  return { context, certificate: own! }
}

/** Differs when any of the files is another, or was written: links are followed, so that swapping one is seen. */
export async function stampOf(paths: TlsPaths): Promise<string> {
  const stamps = [paths.certificate, paths.key, paths.clientCa].map(async (path) => {
    if (path === undefined) return ''
    const stats = await stat(path, { bigint: true }).catch(() => undefined)
    return stats ? `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : 'absent'
  })
  return (await Promise.all(stamps)).join('|')
}

/** More than any chain. */
const MAX_BYTES = 1024 * 1024

async function readPem(path: string, { secret = false } = {}): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    if (stats.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
    // A group such as ssl-cert is common, and somebody's decision.
    if (secret && (stats.mode & 0o006) !== 0) {
      throw new Error(`everybody on this machine may read or write it; accepted: at most mode 0640 (chmod o= ${path})`)
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stats.size), 0, stats.size, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (error) {
    throw new Error(`${path} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

function certificatesIn(pem: string, path: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (!blocks) throw new Error(`${path} has no certificate in it; accepted: PEM, the server's own certificate first`)
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new Error(`${path}: certificate ${index + 1} in it is damaged`)
    }
  })
}

/** What OpenSSL says of a key is no help, and could quote it. */
function privateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    const locked = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE'
    throw new Error(
      locked
        ? `${path} is encrypted, and there is nobody to ask for the passphrase`
        : `${path} has no private key in it; accepted: PEM`,
      { cause: error },
    )
  }
}
