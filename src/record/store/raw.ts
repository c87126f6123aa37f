/** Keeps the process's raw descriptor of the database open as long as the store has it open: see sqlite-files.ts. */
import { holdFile, type HeldFile } from '../../sources/sqlite-files.ts'

export interface RawHold {
  /** The store has opened it, perhaps another file than before. */
  renew(): void
  /** Resolves when the present file is held. */
  ready(): Promise<void>
  release(): Promise<void>
}

export function createRawHold(path: string): RawHold {
  let held: HeldFile | undefined
  let turn = Promise.resolve()
  const replace = async (open: () => Promise<HeldFile | undefined>) => {
    const before = held
    held = await open()
    await before?.release()
  }
  const inTurn = (open: () => Promise<HeldFile | undefined>) => {
    turn = turn.then(() => replace(open)).catch(() => {})
    return turn
  }
  return {
    renew: () => void inTurn(() => holdFile(path).catch(() => undefined)),
    ready: () => turn,
    release: () => inTurn(async () => undefined),
  }
}
