/**
 * Where the bytes wait until all of them are there: in a file of the browser's own (origin private file system), so that a big
 * bundle is not held in memory and a cut one never shows up among the downloads. Over plain http, where browsers do not give
 * that, in memory.
 */
const FOLDER = 'debug-bundles'

/** `write`, then either `whole` (resolves with the file, which is there until `drop`) or `drop`. */
export async function openKeep() {
  const root = await navigator.storage?.getDirectory?.().catch(() => undefined)
  return root ? onDisk(await root.getDirectoryHandle(FOLDER, { create: true })) : inMemory()
}

/** Removes what earlier visits left; what another tab still uses is locked. */
export async function sweep() {
  const root = await navigator.storage?.getDirectory?.().catch(() => undefined)
  const folder = await root?.getDirectoryHandle(FOLDER).catch(() => undefined)
  if (!folder) return
  for await (const name of folder.keys()) {
    await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && folder.removeEntry(name))
  }
}

async function onDisk(folder) {
  const name = crypto.randomUUID()
  // Held as long as the page is there: the browser gives it back when the tab is closed, however that happens.
  const { promise: used, resolve: unlock } = Promise.withResolvers()
  await new Promise((locked) => void navigator.locks.request(name, () => (locked(), used)))
  const handle = await folder.getFileHandle(name, { create: true })
  const writable = await handle.createWritable()
  return {
    write: (chunk) => writable.write(chunk),
    whole: async () => {
      await writable.close()
      return handle.getFile()
    },
    drop: async () => {
      await writable.abort().catch(() => {})
      await folder.removeEntry(name).catch(() => {})
      unlock()
    },
  }
}

function inMemory() {
  let chunks = []
  return {
    write: async (chunk) => void chunks.push(chunk),
    whole: async () => new Blob(chunks),
    drop: async () => void (chunks = []),
  }
}
