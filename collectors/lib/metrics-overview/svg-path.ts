/** Lines and areas in steps: each value is as wide as its step, so that a single one can be seen, too. No I/O. */

type Values = readonly (number | null)[]

/** Where the n-th step begins, and how high a value stands; pixels. */
export interface Axes {
  readonly x: (step: number) => number
  readonly y: (value: number) => number
}

export function linePath(values: Values, axes: Axes): string {
  return runsOf(values)
    .map(({ from, to }) => pen(axes.x(from), axes.y(values[from]!)).through(values, from, to, axes).path)
    .join('')
}

/** Between two lines; nothing where one of them is not known. */
export function areaPath(low: Values, high: Values, axes: Axes): string {
  const both = high.map((value, at) => (low[at] === null ? null : value))
  return runsOf(both)
    .map(({ from, to }) => {
      const there = pen(axes.x(from), axes.y(high[from]!)).through(high, from, to, axes)
      return `${there.back(low, from, to, axes).path}Z`
    })
    .join('')
}

interface Run {
  readonly from: number
  readonly to: number
}

function runsOf(values: Values): Run[] {
  const runs: Run[] = []
  for (const [at, value] of values.entries()) {
    if (value === null) continue
    const last = runs.at(-1)
    if (last?.to === at) runs.splice(-1, 1, { ...last, to: at + 1 })
    else runs.push({ from: at, to: at + 1 })
  }
  return runs
}

/** Relative moves, whole half pixels: a picture of a day is to stay small. */
function pen(startX: number, startY: number) {
  let [x, y] = [half(startX), half(startY)]
  let path = `M${short(x)} ${short(y)}`
  let pendingX = 0
  const right = (to: number) => {
    pendingX += half(to) - x
    x = half(to)
  }
  const flush = () => {
    if (pendingX !== 0) path += `h${short(pendingX)}`
    pendingX = 0
  }
  const up = (to: number) => {
    if (half(to) === y) return
    flush()
    path += `v${short(half(to) - y)}`
    y = half(to)
  }
  const self = {
    through(values: Values, from: number, to: number, axes: Axes) {
      for (let step = from; step < to; step += 1) {
        up(axes.y(values[step]!))
        right(axes.x(step + 1))
      }
      flush()
      return self
    },
    back(values: Values, from: number, to: number, axes: Axes) {
      for (let step = to - 1; step >= from; step -= 1) {
        up(axes.y(values[step] ?? 0))
        right(axes.x(step))
      }
      flush()
      return self
    },
    get path() {
      return path
    },
  }
  return self
}

const half = (value: number): number => Math.round(value * 2) / 2

const short = (value: number): string => String(Math.round(value * 10) / 10).replace(/^(-?)0\./, '$1.')
