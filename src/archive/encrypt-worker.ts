/** The worker of encrypt.ts: pieces come in, encrypted chunks go out, `end` and `ended` close. It bounds nothing itself. */
import { parentPort, workerData } from 'node:worker_threads'
import { Encrypter } from 'age-encryption'

const port = parentPort!
const encrypter = new Encrypter()
for (const recipient of workerData as readonly string[]) encrypter.addRecipient(recipient)

const pieces = new ReadableStream<Uint8Array>({
  start(controller) {
    port.on('message', (message: Uint8Array | 'end') => {
      if (message === 'end') controller.close()
      else controller.enqueue(message)
    })
  },
})

for await (const chunk of await encrypter.encrypt(pieces)) {
  // Memory that the chunk shares with others stays here.
  const alone = chunk.length === chunk.buffer.byteLength
  port.postMessage(chunk, alone ? [chunk.buffer as ArrayBuffer] : [])
}
port.postMessage('ended')
port.close()
