/** The one button of a node's page, and what it shows. */
import { download, Failure } from './download.js'
import { sweep } from './keep.js'

const at = (id) => document.getElementById(id)
const { href } = at('bundle').dataset

/** The page's own query (?since=2h&only=kernel) is the bundle's. */
const url = `${href}${location.search}`

/** Lets go of what the last click made: by now it is among the downloads. */
let forget = async () => {}

void sweep().catch(() => {})
at('download').addEventListener('click', () => void run())

async function run() {
  const controller = new AbortController()
  const cancel = () => controller.abort()
  const clock = begin()
  at('cancel').addEventListener('click', cancel)
  try {
    await forget()
    const { name, file, drop } = await download(url, {
      signal: controller.signal,
      onStart: started,
      onBytes: clock.bytes,
    })
    const address = save(name, file)
    forget = async () => (URL.revokeObjectURL(address), drop())
    show('saved', `Saved, whole: ${formatBytes(file.size)}`)
  } catch (error) {
    if (controller.signal.aborted) show('cancelled', 'Cancelled. Nothing was saved.')
    else failed(error)
  } finally {
    clock.stop()
    at('cancel').removeEventListener('click', cancel)
    at('cancel').hidden = true
    at('bar').hidden = true
    at('download').disabled = false
    at('download').focus()
  }
}

/** Numbers are shown four times a second, and not read aloud: the status line is. */
function begin() {
  const startedAtMs = performance.now()
  let bytes = 0
  const tick = () => {
    const seconds = (performance.now() - startedAtMs) / 1000
    at('received').textContent = formatBytes(bytes)
    at('elapsed').textContent = formatSeconds(seconds)
    at('rate').textContent = bytes > 0 && seconds > 0.5 ? `${formatBytes(bytes / seconds)}/s` : '…'
  }
  at('file').textContent = at('request').textContent = '…'
  at('numbers').classList.remove('bare')
  at('cancel').hidden = at('bar').hidden = at('result').hidden = false
  at('download').disabled = true
  tick()
  show('running', 'Asking the node …')
  const timer = setInterval(tick, 250)
  return { bytes: (count) => (bytes = count), stop: () => (clearInterval(timer), tick()) }
}

function started({ name, requestId }) {
  at('file').textContent = name
  at('request').textContent = requestId ?? '…'
  show('running', 'Downloading. The node gathers while it sends, so its size is not known before the end.')
}

function failed(error) {
  if (!(error instanceof Failure))
    return show('failed', 'Failed: it could not be kept. Nothing was saved.', error.message)
  if (error.requestId) at('request').textContent = error.requestId
  at('numbers').classList.toggle('bare', at('file').textContent === '…')
  show('failed', `Failed: ${error.message}. Nothing was saved.`, error.advice)
}

/** @param state `running`, `saved`, `failed` or `cancelled`; the words say it as well. */
function show(state, words, advice = '') {
  at('result').className = state
  at('status').textContent = words
  at('advice').textContent = advice
  at('advice').hidden = advice === ''
}

/** Hands it to the browser's downloads, under the name that the node gave it. */
function save(name, file) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  return link.href
}

function formatBytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

function formatSeconds(seconds) {
  return seconds < 60 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
