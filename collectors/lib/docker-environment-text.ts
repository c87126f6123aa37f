/** docker/environment.txt: one page, what explains failures first. No I/O. */
import type { Environment } from './docker-environment.ts'
import { warningsOf } from './docker-warnings.ts'
import { bytes, oneLine, shortened } from './proc-text.ts'

/** A command line is one line of the page; the whole is in environment.json. */
const mostChars = 1000
const mostOthers = 10
const titleWidth = 20

type Row = readonly [title: string, value: string | null | undefined]

export function environmentText(environment: Environment, logTail: readonly string[]): string {
  const { engine, socket } = environment
  const warnings = warningsOf(environment)
  return [
    `Container engine ${engine.label} (${engine.kind}), socket ${socket.path}: what it runs on. The same in environment.json.\n`,
    warnings.length > 0 ? warnings.map((text) => `! ${oneLine(text)}\n`).join('') : 'Nothing here is unusual.\n',
    section('ENGINE', engineRows(environment)),
    section('STARTED BY', startRows(environment)),
    section('STORAGE', storageRows(environment)),
    section('CGROUPS AND MOUNTS', cgroupRows(environment)),
    section('NETWORK', networkRows(environment)),
    section('REGISTRIES', registryRows(environment)),
    section('BESIDE IT', otherRows(environment)),
    `LAST LINES OF ITS LOG\n${logTail.map((line) => `  ${oneLine(line)}\n`).join('') || '  none was found\n'}`,
  ].join('\n')
}

const section = (title: string, rows: readonly Row[]): string =>
  `${title}\n${rows.map(([name, value]) => `  ${name.padEnd(titleWidth)}${oneLine(shortened(value || 'not known', mostChars))}\n`).join('')}`

const list = (values: readonly string[] | null | undefined): string | undefined =>
  values ? values.join(', ') || 'none' : undefined

function engineRows(environment: Environment): Row[] {
  const { engine, socket, kernel, rootless, runtime, loggingDriver, daemonFile } = environment
  const owner = 'mode' in socket ? `${socket.user ?? socket.uid}:${socket.group ?? socket.gid}` : undefined
  const settings = Object.entries(daemonFile.values).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return [
    ['version', engine.version],
    ['socket', owner && 'mode' in socket ? `${socket.path}  mode ${socket.mode}  owner ${owner}` : 'it is not there'],
    ['kernel', kernel.isGvisor ? `${kernel.version}: gVisor, which emulates one` : kernel.version],
    ['rootless', rootless === null ? undefined : rootless ? 'yes' : 'no'],
    ['runtime', runtime],
    ['logs of containers', loggingDriver],
    // Podman has files of its own, which are in config/.
    ...(engine.kind === 'docker'
      ? [[daemonFile.path.split('/').at(-1)!, settings.join('  ') || 'nothing set'] as const]
      : []),
  ]
}

function startRows({ process, lazyStart: { script, realCommand, files } }: Environment): Row[] {
  if (!process) return [['process', 'not seen from here: in another pid namespace, or not running'], ...leftovers()]
  return [
    ['command line', process.commandLine.join(' ')],
    ['pid, uid', `${process.pid}, ${process.uid}`],
    ['started by', process.startedBy],
    ...process.ancestors.map(({ pid, command }, at): Row => [at === 0 ? 'parents' : '', `${pid}  ${command}`]),
    ['cgroup', process.cgroup],
    ['its log goes to', process.log ?? 'not readable: that takes CAP_SYS_PTRACE'],
    ...leftovers(),
  ]
  function leftovers(): Row[] {
    const rows: Row[] = files.map(({ path, sizeBytes, mtime, pid, alive }) => [
      'file',
      `${path}  ${sizeBytes} B  ${mtime}${pid === undefined ? '' : `  pid ${pid}, ${alive ? 'there' : 'gone'}`}`,
    ])
    const what = script?.startsEngine ? 'a script that starts the engine' : 'a script'
    if (script) rows.push(['docker command', `${script.path}: ${what}${realCommand ? `, beside ${realCommand}` : ''}`])
    return rows
  }
}

function storageRows({ storage: { driver, driverStatus, dataRoot, mount, usage } }: Environment): Row[] {
  const full =
    'problem' in usage
      ? usage.problem
      : `${usage.usedPercent ?? '?'} % of ${bytes(usage.sizeBytes)} used, ${bytes(usage.availableBytes)} left; inodes ${usage.inodesUsedPercent ?? '-'} %`
  return [
    ['driver', driver],
    ...driverStatus.map(([name, value]): Row => ['', `${name}: ${value}`]),
    ['data root', dataRoot],
    ['its file system', mount && `${mount.type} (${mount.source}), mounted on ${mount.point}`],
    ['full', full],
  ]
}

function cgroupRows({ cgroup, rootPropagation: { of, mode, type } }: Environment): Row[] {
  const { version, engineSays, driver, controllers, missing, notHandedDown } = cgroup
  return [
    ['cgroup', `${version}${engineSays === null ? '' : ` (the engine uses v${engineSays})`}`],
    ['driver', driver],
    ['controllers', list(controllers)],
    ['missing', list(missing)],
    ...(notHandedDown ? [['not handed down', list(notHandedDown)] as const] : []),
    [`/ of ${of}`, `${mode ?? 'not known'}, ${type ?? 'not known'}`],
  ]
}

function networkRows({ network }: Environment): Row[] {
  const settings = Object.entries(network.settings).map(([name, value]) => `${name}=${value}`)
  const kind = network.commandIs === null ? '' : ` (${network.commandIs})`
  return [
    ['told', settings.length > 0 ? settings.join('  ') : 'nothing: the defaults'],
    ['iptables', network.command === null ? 'no link, or not installed' : `${network.command}${kind}`],
    ['legacy tables', network.legacyTables === null ? 'none, or not readable' : list(network.legacyTables)],
    ['modules', list(network.modules)],
    ['not loaded', list(network.modulesAbsent)],
    ['ip_forward', network.ipv4Forwarding],
  ]
}

function registryRows({ registries: { mirrors, insecure, proxies } }: Environment): Row[] {
  return [
    ['mirrors', list(mirrors)],
    ['without TLS', list(insecure)],
    ['proxy http', proxies.http ?? 'none'],
    ['proxy https', proxies.https ?? 'none'],
    ['no proxy for', proxies.exceptFor ?? 'none'],
  ]
}

function otherRows({ others }: Environment): Row[] {
  if (others.length === 0) return [['engines', 'no other']]
  const rows: Row[] = others
    .slice(0, mostOthers)
    .map(({ pid, program, nested, commandLine }) => [
      `${program}${nested ? ' in a container' : ''}`,
      `pid ${pid}: ${shortened(commandLine.join(' '), 200)}`,
    ])
  return others.length > mostOthers ? [...rows, ['more', String(others.length - mostOthers)]] : rows
}
