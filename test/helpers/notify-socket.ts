/**
 * The other end of sd_notify, as systemd is it: a datagram socket, which Node.js does not have, so python3 has it. A descriptor that
 * comes along (the barrier) is closed, for that is the answer.
 */
import { spawn } from 'node:child_process'

const SCRIPT = `
import array, os, socket, sys
name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind('\\0' + name[1:] if name.startswith('@') else name)
print('listening', flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(8192, socket.CMSG_SPACE(64))
    for _, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:
            fds = array.array('i')
            fds.frombytes(content)
            for fd in fds: os.close(fd)
    if data != b'BARRIER=1': print(data.decode().replace(chr(10), ' | '), flush=True)
`

export interface NotifySocket {
  /** A path, or `@name` for an abstract one. */
  readonly name: string
  /** One a message, its lines joined by ` | `. */
  readonly messages: readonly string[]
  /** Resolves to the first message from the `from`th on that is like this. */
  readonly hears: (pattern: RegExp, from?: number) => Promise<string>
  readonly close: () => void
}

export async function openNotifySocket(name: string): Promise<NotifySocket> {
  const child = spawn('python3', ['-c', SCRIPT, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const messages: string[] = []
  let partial = ''
  let heard = () => {}
  const listening = new Promise<void>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`python3 ended with ${code}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (partial + text).split('\n')
      partial = lines.pop()!
      for (const line of lines) {
        if (line === 'listening') resolve()
        else messages.push(line)
      }
      heard()
    })
  })
  await listening
  const hears = (pattern: RegExp, from = 0) =>
    new Promise<string>((resolve) => {
      heard = () => {
        const found = messages.slice(from).find((message) => pattern.test(message))
        if (found !== undefined) resolve(found)
      }
      heard()
    })
  return { name, messages, hears, close: () => void child.kill('SIGKILL') }
}
