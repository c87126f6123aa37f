/** How the picture looks: sizes in pixels, colours. No I/O. */

export const WIDTH_PX = 1200
/** Names, legends and the numbers of the axis. */
export const LEFT_PX = 218
/** 480 steps of two pixels each. */
export const PLOT_PX = 960
/** Numbers of the axis end here. */
export const AXIS_PX = LEFT_PX - 6

/** What is bad is orange and red, everywhere; nothing else is. */
export const COLOURS = {
  blue: '#4e79a7',
  light: '#b9d3ec',
  violet: '#8e6bb0',
  green: '#4f9d55',
  teal: '#4ba3a3',
  brown: '#8c6d4f',
  orange: '#f08c1a',
  red: '#d1242f',
} as const

/** Mounts, disks, containers. */
export const THING_COLOURS = [COLOURS.blue, COLOURS.green, COLOURS.violet, COLOURS.teal, COLOURS.brown] as const

export const STYLE = `
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans','DejaVu Sans',sans-serif;fill:#1f2328}
.title{font-size:18px;font-weight:600}
.faint,.tick,.axis,.peak{fill:#59636e}
.tick{text-anchor:middle;font-size:11px}
.axis,.peak{text-anchor:end;font-size:10.5px}
.key{font-size:11px}
.name{font-size:12.5px;font-weight:600}
.bad{fill:#b3261e}
.remark{font-size:13.5px}
.remark.bad,.remark.odd{fill:#1f2328}
.what{font-weight:600}
.bad .what{fill:#b3261e}
.odd .what{fill:#8a5300}
.good{fill:#1a7f37}
.paper{fill:#fff}
.plot{fill:#fafbfc}
.grid{stroke:#e4e8ec;fill:none}
.frame{stroke:#d0d7de;fill:none}
.hot{fill:#ffdfdb}
.edge{fill:#d1242f}
.gap{fill:url(#gap)}
.cross{stroke:#d1242f;stroke-width:2;fill:none}
.limit{stroke:#1f2328;stroke-dasharray:5 3;stroke-opacity:.6;fill:none}
.none{fill:#8c959f;text-anchor:middle}
.line{fill:none;stroke-width:1.4;stroke-linejoin:round}
.band{fill-opacity:.22}
.area{fill-opacity:.9}
.v{fill:none}
.v.boot{stroke:#0550ae;stroke-width:1.5}
.v.error{stroke:#d1242f;stroke-opacity:.45}
.v.critical{stroke:#d1242f;stroke-width:1.2;stroke-opacity:.8}
.v.clock{stroke:#8250df;stroke-width:1.5;stroke-dasharray:4 3}
.m{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}
.m.left{text-anchor:end}
.m.boot{fill:#0550ae;font-weight:600}
.m.error{fill:#b3261e}
.m.critical{fill:#b3261e;font-weight:600}
.m.clock{fill:#6639ba}
.m.gap{fill:#59636e;font-style:italic}
`

/** Grey stripes: visibly not zero. */
export const GAP_PATTERN =
  '<pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<rect width="7" height="7" fill="#e9ecef"/><rect width="2" height="7" fill="#d3d9df"/></pattern>'
