/** Of hundreds of steps those that a person wants to see, each with how deep it lies in others. No I/O. */
import type { Step } from './types.ts'

/** Shorter steps of systemd and cloud-init are shown by programs only. */
export const MINOR_MS = 100

/** Reached at a moment, and waited for by others. */
const MILESTONES = /^(?:network-online|multi-user|graphical|cloud-init|cloud-config|rescue|emergency)\.target$/

export interface ShownStep {
  readonly step: Step
  readonly depth: number
}

export function worthShowing(steps: readonly Step[]): ShownStep[] {
  const byName = new Map(steps.map((step) => [step.name, step]))
  const shown = steps.filter(isWorth)
  return inFamilies(shown, byName)
}

function isWorth({ status, source, name, durationMs }: Step): boolean {
  if (status !== 'done' || (durationMs ?? 0) >= MINOR_MS) return true
  return !['systemd', 'cloud-init'].includes(source) || MILESTONES.test(name)
}

/** Parts follow what they are a part of, however many others began in between. */
function inFamilies(shown: readonly Step[], byName: ReadonlyMap<string, Step>): ShownStep[] {
  const visible = new Set(shown.map(({ name }) => name))
  const parentOf = (step: Step): string | undefined => {
    let name = step.parent
    // Over those that are not shown; no family is deeper than this.
    for (let depth = 0; depth < 8 && name !== undefined && !visible.has(name); depth += 1)
      name = byName.get(name)?.parent
    return name === step.name ? undefined : name
  }
  const families = Map.groupBy(shown, parentOf)
  const placed: ShownStep[] = []
  const place = (step: Step, depth: number): void => {
    placed.push({ step, depth })
    const parts = families.get(step.name) ?? []
    families.delete(step.name)
    if (depth < 8) for (const part of parts) place(part, depth + 1)
  }
  for (const step of families.get(undefined) ?? []) place(step, 0)
  // Parts of each other have no place of their own.
  const seen = new Set(placed.map(({ step }) => step))
  return [...placed, ...shown.filter((step) => !seen.has(step)).map((step) => ({ step, depth: 0 }))]
}
