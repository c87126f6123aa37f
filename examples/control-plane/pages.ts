/** The two pages. What they do is in page/: plain files, no build, nothing from elsewhere. */
import type { Node } from './nodes.ts'

export function listPage(nodes: readonly Node[]): string {
  const rows = nodes.map(
    ({ id, state, address }) =>
      html`<tr>
        <td><a href="/nodes/${id}">${id}</a></td>
        <td>${badge(state)}</td>
        <td><code>${address}</code></td>
      </tr>`,
  )
  return page(
    'Nodes',
    html`<h1>Nodes</h1>
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col">Address</th>
          </tr>
        </thead>
        <tbody>
          ${raw(rows.map(({ text }) => text).join(''))}
        </tbody>
      </table>`,
  )
}

export function nodePage({ id, state, address }: Node, hasStorage: boolean): string {
  return page(
    id,
    html`<nav><a href="/">Nodes</a></nav>
      <h1>${id} ${badge(state)}</h1>
      <p class="address"><code>${address}</code></p>
      <section id="bundle" data-href="/api/nodes/${id}/debug-package" aria-labelledby="bundle-title">
        <h2 id="bundle-title">Debug bundle</h2>
        <p>
          What the machine knows of itself, gathered while it downloads. Asking changes nothing on the node, whatever
          state it is in.
        </p>
        <p class="actions">
          <button id="download" type="button">Download debug bundle</button>
          <button id="cancel" type="button" class="quiet" hidden>Cancel</button>
        </p>
        <noscript><a href="/api/nodes/${id}/debug-package" download>Download it without JavaScript</a></noscript>
        <div id="result" hidden>
          <p id="status" role="status" aria-live="polite"></p>
          <p id="advice" hidden></p>
          <progress id="bar" aria-label="Download" hidden></progress>
          <dl id="numbers">
            <div>
              <dt>File</dt>
              <dd id="file">…</dd>
            </div>
            <div>
              <dt>Received</dt>
              <dd id="received">0 B</dd>
            </div>
            <div>
              <dt>Rate</dt>
              <dd id="rate">…</dd>
            </div>
            <div>
              <dt>Elapsed</dt>
              <dd id="elapsed">0 s</dd>
            </div>
            <div>
              <dt>Request</dt>
              <dd id="request">…</dd>
            </div>
          </dl>
        </div>
      </section>
      ${hasStorage ? stored(id) : ''}
      <script type="module" src="/assets/page.js"></script>`,
  )
}

function stored(id: string): Html {
  return html`<section id="stored" data-href="/api/nodes/${id}/bundles" aria-labelledby="stored-title">
      <h2 id="stored-title">Uploaded bundles</h2>
      <p id="stored-words" role="status">Asking the storage …</p>
      <ul id="stored-list"></ul>
      <noscript><a href="/api/nodes/${id}/bundles/latest">The newest one</a></noscript>
    </section>
    <script type="module" src="/assets/stored.js"></script>`
}

interface Html {
  readonly text: string
}

function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · control plane</title>
        <link rel="icon" href="/assets/icon.svg" />
        <link rel="stylesheet" href="/assets/page.css" />
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text
}

/** Told by its word; the colour only helps. */
function badge(state: string): Html {
  const kind = /^(fail|unreach|error|lost|dead)/i.test(state) ? 'bad' : /^(run|ok|up)/i.test(state) ? 'good' : 'plain'
  return html`<span class="badge ${kind}">${state}</span>`
}

/** A template whose values are escaped, so that forgetting to do so is not possible. */
function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const filled = values.map((value) => (typeof value === 'string' ? escape(value) : value.text))
  return raw(String.raw({ raw: parts }, ...filled))
}

function raw(text: string): Html {
  return { text }
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
