/** Starts the one thread in which all databases of the recorder are. */
import { Worker } from 'node:worker_threads'
import { createStoreThread, type StoreThread } from './store/thread.ts'

/** Nothing is started before the first question. */
export function openStoreThread(): StoreThread {
  return createStoreThread(
    () =>
      new Worker(new URL('store-worker.ts', import.meta.url), {
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
      }),
  )
}
