/** Marks of the time axis: round times, not too many. No I/O. */

const MARKS = 9
const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400]

export function axisStepMs(totalMs: number): number {
  const step = STEPS_S.find((seconds) => seconds * 1000 * MARKS >= totalMs)
  return (step ?? Math.ceil(totalMs / MARKS / 86_400_000) * 86_400) * 1000
}

/** `0.5 s`, `40 s`, `2:30`, `1:02:30`: hours, minutes, seconds. */
export function tickLabel(ms: number): string {
  const seconds = Math.round(ms / 100) / 10
  if (Math.abs(seconds) < 120) return `${seconds} s`
  const whole = Math.round(Math.abs(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const sign = ms < 0 ? '-' : ''
  return hours > 0 ? `${sign}${hours}:${two(minutes)}:${two(whole % 60)}` : `${sign}${minutes}:${two(whole % 60)}`
}
