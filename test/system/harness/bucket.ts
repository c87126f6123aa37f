/** A bucket at the other end of a machine's cable, over TLS: the gateway itself is on the loopback of the host, which the machine cannot reach. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'
import { temporaryFolder } from '../../helpers/archive.ts'
import { createAuthorityIn } from '../../helpers/tls.ts'
import { OUTSIDE_ADDRESS } from './network.ts'
import type { Vm } from './vm.ts'

export interface DistantBucket {
  readonly endpoint: string
  /** PEM of the authority that signed its certificate. */
  readonly ca: Buffer
  /** From now on somebody listens there. */
  appear(): Promise<void>
  /** Nobody listens any more, and whoever was connected is not. */
  vanish(): Promise<void>
  remove(): Promise<void>
}

const PORT = 443

/** @param port of the gateway. The machine has to have run once: then its cable is there. */
export async function openDistantBucket(vm: Vm, port: number): Promise<DistantBucket> {
  const folder = temporaryFolder('diagd-bucket-')
  const authority = createAuthorityIn(folder.path, { names: `IP:${OUTSIDE_ADDRESS}` })
  const { certificate, key } = authority.sign('bucket')
  const pair = { cert: readFileSync(certificate), key: readFileSync(key) }
  const server = createServer({ ...pair, allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    pipeline(near, far, near, () => far.destroy())
  })
  const socket = join(folder.path, 'tls.sock')
  server.listen(socket)
  await once(server, 'listening')
  let relay: ReturnType<Vm['startOutside']> | undefined
  const vanish = async () => {
    relay?.kill('SIGKILL')
    await relay
    relay = undefined
  }
  return {
    endpoint: `https://${OUTSIDE_ADDRESS}`,
    ca: readFileSync(authority.certificate),
    async appear() {
      relay = vm.startOutside(process.execPath, join(import.meta.dirname, 'relay.ts'), String(PORT), socket)
      await once(relay.stdout, 'data')
    },
    vanish,
    async remove() {
      await vanish()
      server.close()
      folder.remove()
    },
  }
}
