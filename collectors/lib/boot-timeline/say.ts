/** Times, and what both the text and the picture say, as a tired human reads them. No I/O. */
import type { ClockStep, Timeline } from './types.ts'

/** `350 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`
}

/** Since the start of the boot: `+12.34 s`, and from ten minutes on `+0:12:34`. */
export function since(ms: number): string {
  const sign = ms < 0 ? '-' : '+'
  const seconds = Math.abs(ms) / 1000
  if (seconds < 600) return `${sign}${seconds.toFixed(2)} s`
  const whole = Math.round(seconds)
  return `${sign}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}

export const STATES: Readonly<Record<Timeline['state'], string>> = {
  starting: 'NOT EVERYTHING IS UP YET',
  up: 'everything that was to be started has been',
  over: 'over; everything that was to be started had been',
  cut: 'OVER BEFORE EVERYTHING WAS UP',
  unknown: 'neither systemd nor a journal tells whether everything is up',
}

export function clockText({ atMs, byMs, slept }: ClockStep): string {
  if (slept) return `At ${since(atMs)} the machine had slept for ${span(byMs)}.`
  const how = `${byMs > 0 ? 'forward' : 'back'} by ${span(Math.abs(byMs))}`
  return `At ${since(atMs)} the clock was set ${how}: times of logs before and after it do not compare.`
}

/** More sentences than these have one cause, and hide the table. */
const MOST_SENTENCES = 12

export function fewer(sentences: readonly string[]): readonly string[] {
  const more = sentences.length - MOST_SENTENCES
  return more > 0 ? [...sentences.slice(0, MOST_SENTENCES), `… and ${more} more of them: timeline.json`] : sentences
}

const two = (value: number): string => String(value).padStart(2, '0')
