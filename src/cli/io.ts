/** What a command gets from the process. */
import type { ReadStream, WriteStream } from 'node:tty'
import type { Environment } from '../config/load.ts'
import type { Problem } from '../config.ts'
import { forTerminal } from '../terminal.ts'

export interface Io {
  readonly argv: readonly string[]
  readonly environment: Environment
  /** Effective user id. */
  readonly uid: number
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
}

/** Documented in docs/cli.md. */
export const EXIT = {
  /** Everything there; what is skipped does not count against it. */
  whole: 0,
  /** It did not work: no bundle, a damaged bundle, a daemon that cannot start. */
  failed: 1,
  /** The command line, or the configuration, is wrong. */
  usage: 2,
  /** A bundle, with something in it that is failed, late, withheld or short. */
  partial: 3,
} as const

/** One line to stderr. Whatever is in it, the terminal survives it. */
export function say(io: Pick<Io, 'stderr'>, line: string): void {
  io.stderr.write(`${forTerminal(line)}\n`)
}

export function sayProblems(io: Pick<Io, 'stderr'>, problems: readonly Problem[]): void {
  for (const { key, message } of problems) say(io, `diagd: ${key}: ${message}`)
}

/** Writes and waits until it is out, so that nothing is lost when the process exits. */
export function print(stream: WriteStream, text: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
