/** PORT SOCKET: hands what is said to it there to a socket of the host, which no network has. Ends with whoever holds its standard input. */
import { connect, createServer } from 'node:net'

const [port, path] = process.argv.slice(2)
const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ path: path!, allowHalfOpen: true })
  near.pipe(far).pipe(near)
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
})
// No address in particular: the cable goes when the machine boots again, and another comes.
server.listen({ host: '0.0.0.0', port: Number(port) }, () => process.stdout.write('ready\n'))
process.stdin.resume().once('end', () => process.exit())
