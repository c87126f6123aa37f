import type { Kit } from '../../src/collector.ts'

export interface RingBuffer {
  /** '' when it could not be read. */
  readonly text: string
  /** Whether this dmesg writes ISO times: util-linux does, busybox does not. */
  readonly iso: boolean
  /** Why there is no text; a sentence. */
  readonly reason?: string
}

/** The kernel's log of this boot, as far as its buffer reaches, through dmesg. */
export async function ringBuffer(kit: Kit): Promise<RingBuffer> {
  const missing = await kit.missing({ command: 'dmesg' })
  if (missing) return { text: '', iso: true, reason: missing }
  const iso = await kit.run`dmesg --time-format=iso`.catch(() => undefined)
  if (iso?.exitCode === 0) return { text: iso.stdout, iso: true }
  const plain = await kit.run`dmesg`.catch((error: unknown) => ({ exitCode: null, stdout: '', stderr: String(error) }))
  if (plain.exitCode === 0) return { text: plain.stdout, iso: false }
  if (!/not permitted|permission denied/i.test(plain.stderr))
    return { text: '', iso: true, reason: plain.stderr.trim() }
  const reason = 'the kernel shows its log to root only (kernel.dmesg_restrict is 1)'
  return { text: '', iso: true, reason }
}
