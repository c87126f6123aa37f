/** `diagd check`: refuses what `serve` would only complain about. */
import { existsSync } from 'node:fs'
import type { BundleDeps } from '../collect/deps.ts'
import type { Config, Problem } from '../config.ts'
import { checkTcpDoor } from '../http/tcp-door.ts'
import { tokensFolder } from '../http/auth/token-files.ts'
import { createTokenStore } from '../http/auth/token-store.ts'
import { bundleProblem } from '../upload/bundle-problem.ts'
import { prepare } from './engine.ts'
import { EXIT, print, sayProblems } from './io.ts'
import type { Io } from './io.ts'

export async function check(io: Io): Promise<number> {
  const { config, deps, problems: found } = await prepare(io)
  const { listen, tls } = config
  const problems = [
    ...found,
    ...(await tokenProblems(config.configDir, io.uid)),
    ...(listen ? await checkTcpDoor({ listen, tls }) : []),
    ...uploadProblems(config, deps),
  ]
  sayProblems(io, problems)
  if (problems.length > 0) return EXIT.usage
  const what = existsSync(config.configDir) ? 'is fine' : 'is not there, so the defaults hold'
  await print(io.stdout, `${config.configDir} ${what}: ${deps.collectors.length} collectors\n`)
  return EXIT.whole
}

function uploadProblems(config: Config, { collectors }: BundleDeps): Problem[] {
  const problem = bundleProblem(
    config,
    collectors.map(({ id }) => id),
  )
  return problem === undefined ? [] : [{ key: 'uploads', message: problem }]
}

async function tokenProblems(configDir: string, uid: number): Promise<Problem[]> {
  const store = createTokenStore(tokensFolder(configDir), uid)
  await store.all()
  return store.problems().map((message) => ({ key: 'tokens.d', message }))
}
