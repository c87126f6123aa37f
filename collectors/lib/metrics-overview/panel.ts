/** What one part of the picture shows. Types only. */
import type { Line, PanelId } from './types.ts'
import type { Unit } from './units.ts'

export interface Panel {
  readonly id: PanelId
  readonly title: string
  /** What the numbers are of: `% of 4 CPUs`. */
  readonly about: string
  readonly unit: Unit
  /** Where the axis ends. */
  readonly top: number
  readonly heightPx: number
  /** Stand on each other, the first at the bottom. */
  readonly areas: readonly Drawn[]
  /** With a band from lowest to highest. */
  readonly lines: readonly Drawn[]
  /** How high all areas together reached within a step. */
  readonly roof?: Line | undefined
  readonly limit?: { readonly at: number; readonly label: string }
  /** Times of something bad, marked with a cross at the bottom. */
  readonly crosses?: readonly { readonly timeMs: number; readonly label: string }[]
  /** Why there is nothing to show. */
  readonly absent?: string
}

export interface Drawn {
  readonly name: string
  readonly colour: string
  readonly line: Line
}
