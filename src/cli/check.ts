/** `diagd check`: refuses what `serve` would only complain about. */
import { prepare } from './engine.ts'
import { EXIT, print, sayProblems } from './io.ts'
import type { Io } from './io.ts'

export async function check(io: Io): Promise<number> {
  const { config, deps, problems } = await prepare(io)
  sayProblems(io, problems)
  if (problems.length > 0) return EXIT.usage
  await print(io.stdout, `${config.configDir} is fine: ${deps.collectors.length} collectors\n`)
  return EXIT.whole
}
