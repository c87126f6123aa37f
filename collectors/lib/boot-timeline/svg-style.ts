/** How the picture looks: sizes in pixels, colours for light and dark. No I/O. */

export const WIDTH_PX = 1280
/** Names. */
export const LEFT_PX = 330
/** Durations of the last bars. */
export const RIGHT_PX = 130
export const ROW_PX = 20

/** No variables: viewers that know little CSS show the light one. */
export const STYLE = `
text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#1f2328}
.title{font-size:17px;font-weight:bold}
.faint,.tick,.caption{fill:#59636e}
.tick{text-anchor:middle}
.before{text-anchor:end}
.finding,.suspect{fill:#b3261e;font-weight:bold}
.paper{fill:#fff}
.grid{stroke:#e1e5ea}
.gap{fill:#f2b705;fill-opacity:.16}
.clock{stroke:#8250df;stroke-width:2;stroke-dasharray:4 3}
.bar{fill:#8a96a3}
.done.systemd .bar,.systemd.key .bar{fill:#5b7fb5}
.cloud-init .bar{fill:#2f9e8f}
.phase .bar,.provision .bar{fill:#8661c5}
.container .bar{fill:#3c9a4b}
.failed .bar{fill:#d1242f}
.never-ended .bar,.running .bar{fill:#e08700}
.restarted{fill:#e0a63a}
.stripe{fill:#b9770e}
.within{fill:#fff;text-anchor:end}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.faint,.tick,.caption{fill:#9aa5b1}
.finding,.suspect{fill:#ff8078}
.paper{fill:#14181d}
.grid{stroke:#2a3138}
.gap{fill-opacity:.13}
.done.systemd .bar,.systemd.key .bar{fill:#6f96d1}
}
`

const KEYS = [
  ['systemd', 'unit'],
  ['cloud-init', 'cloud-init'],
  ['phase', 'phase, provisioning'],
  ['container', 'container'],
  ['kernel', 'kernel'],
  ['failed', 'failed'],
  ['never-ended', 'never ended, running'],
  ['again', 'several starts'],
] as const

export function legend(y: number): string {
  let x = 16
  const keys = KEYS.map(([key, word]) => {
    const fill = key === 'again' ? ' style="fill:url(#again)"' : ''
    const svg = `<g class="${key} key"><rect class="bar" x="${x}" y="${y - 10}" width="14" height="12" rx="2"${fill}/></g><text class="faint" x="${x + 20}" y="${y}">${word}</text>`
    x += 40 + word.length * 7.2
    return svg
  })
  return keys.join('\n')
}
