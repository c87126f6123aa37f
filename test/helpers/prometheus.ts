/** Prometheus as Debian packages it: promtool, and a server of the test's own that scrapes. */
import { spawnSync } from 'node:child_process'

/** Without the package (prometheus) the tests of it are skipped; in CI it has to be there. */
export const hasPrometheus = spawnSync('promtool', ['--version']).status === 0

if (!hasPrometheus && process.env.CI) throw new Error('this needs promtool (Debian package prometheus)')
