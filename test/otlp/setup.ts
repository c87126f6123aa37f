/**
 * Gets what the tests of OTLP hold diagd against, from Debian 13 whatever release this is, into a cache folder, installing nothing:
 * VictoriaMetrics, which receives OTLP (Debian's Prometheus has no receiver), and OpenTelemetry's own definitions of the protocol.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasReceivers, RECEIVERS } from '../helpers/otlp-receivers.ts'

const SOURCE =
  'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n'
const PACKAGES = ['victoria-metrics', 'python3-opentelemetry-proto', 'python3-protobuf']

if (!hasReceivers) fetchInto(RECEIVERS)

function fetchInto(place: string): void {
  mkdirSync(dirname(place), { recursive: true })
  const work = mkdtempSync(`${place}-of-`)
  try {
    writeFileSync(join(work, 'sources.list'), SOURCE)
    mkdirSync(join(work, 'lists/partial'), { recursive: true })
    mkdirSync(join(work, 'debs'))
    apt(work, 'update', '-qq')
    apt(work, 'download', '-qq', ...PACKAGES)
    const tree = join(work, 'tree')
    for (const name of readdirSync(join(work, 'debs')))
      execFileSync('dpkg-deb', ['--extract', join(work, 'debs', name), tree])
    rmSync(place, { recursive: true, force: true })
    renameSync(tree, place)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** With lists of its own: the machine's are not touched. */
function apt(work: string, ...args: readonly string[]): void {
  const own = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  execFileSync('apt-get', [...options, ...args], { cwd: join(work, 'debs'), stdio: ['ignore', 'ignore', 'inherit'] })
}
