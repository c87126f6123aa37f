/** The thread of the store: neither an fsync on a bad disk nor the deletion of old events holds anybody else. */
import { parentPort, workerData } from 'node:worker_threads'
import { EventStoreError } from './error.ts'
import { StoreEngine } from './engine.ts'
import type { Failure, Request, Said, StoreSettings } from './protocol.ts'

const port = parentPort!
const engine = new StoreEngine(workerData as StoreSettings)

const say = (said: Said) => port.postMessage(said)

port.on('message', ({ id, request }: { id: number; request: Request }) => {
  try {
    const reply = answer(request)
    say({ id, status: engine.status(), reply })
  } catch (error) {
    say({ id, status: engine.status(), failure: failureOf(error) })
  }
  if (request.kind !== 'close') return
  clearTimeout(timer)
  port.close()
})

function answer(request: Request): unknown {
  switch (request.kind) {
    case 'append':
      return engine.append(request.jobs)
    case 'query':
      return engine.query(request.filter)
    case 'boots':
      return engine.boots()
    case 'cursor':
      return engine.cursor(request.name)
    case 'checkpoint':
      return engine.checkpoint()
    case 'close':
      return engine.close()
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof EventStoreError) return { code: error.code, message: error.message }
  return { code: 'failed', message: error instanceof Error ? error.message : String(error) }
}

let timer: NodeJS.Timeout
const maintain = () => {
  const before = JSON.stringify(engine.status())
  const delayMs = engine.maintain()
  const status = engine.status()
  if (JSON.stringify(status) !== before) say({ status })
  timer = setTimeout(maintain, delayMs)
}
say({ status: engine.status() })
timer = setTimeout(maintain, 0)
