/** What the node has uploaded by itself, which is there also when the node is not. */
const at = (id) => document.getElementById(id)

void list()

async function list() {
  try {
    const response = await fetch(at('stored').dataset.href)
    const answer = await response.json()
    if (!response.ok) throw new Error([answer.title, answer.detail].filter(Boolean).join(': '))
    at('stored-list').replaceChildren(...answer.bundles.map(row))
    at('stored-words').textContent =
      answer.bundles.length === 0 ? 'None is there.' : 'The newest first, as they arrived in the storage.'
  } catch (error) {
    at('stored-words').textContent = `They cannot be listed. ${error.message}`
  }
}

function row({ name, time, sizeBytes, href }) {
  const link = Object.assign(document.createElement('a'), { href, textContent: name })
  const item = document.createElement('li')
  item.append(link, ` ${time.replace('T', ' ').replace('Z', ' UTC')}, ${(sizeBytes / 1024 / 1024).toFixed(1)} MiB`)
  return item
}
