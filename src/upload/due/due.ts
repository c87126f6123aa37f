/** What makes a bundle due: types only. */
import type { Trigger } from '../upload.ts'

export interface Due {
  readonly trigger: Trigger
  /** What happened, for people; of events it is their masked text. */
  readonly reason: string
  /** Of the moment that it is about, milliseconds since 1970. */
  readonly timeMs: number
  /** The bundle looks back to then, where what it is about began long before. */
  readonly fromMs?: number
}
