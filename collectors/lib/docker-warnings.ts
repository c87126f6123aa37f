/** What of an engine's surroundings explains failures: sentences, the gravest first. No I/O. */
import type { Environment } from './docker-environment.ts'

const fullPercent = 90
/** Where rules, ports or networks of containers depend on it. */
const off = (value: string | undefined) => value === 'false'

export function warningsOf(environment: Environment): string[] {
  return [...engine(environment), ...storage(environment), ...cgroups(environment), ...access(environment)]
    .concat(
      network(environment),
      environment.engineWarnings.map((text) => `the engine says: ${text}`),
    )
    .concat(surroundings(environment))
}

function engine({ engine: { notAsked }, failedStart, daemonFile, process }: Environment): string[] {
  const found = []
  if (failedStart !== undefined) found.push(`the engine did not start, its log says: ${failedStart}`)
  if (notAsked !== undefined) found.push(`the engine was not asked: ${notAsked}`)
  if (daemonFile.problem !== undefined) {
    found.push(`${daemonFile.path} cannot be used, and the engine does not start with it: ${daemonFile.problem}`)
  }
  if (daemonFile.setTwice.length > 0) {
    found.push(
      `set as a flag and in ${daemonFile.path}: ${daemonFile.setTwice.join(', ')}: the engine refuses to start`,
    )
  }
  if (process?.log === '/dev/null') found.push('what the engine logs goes to /dev/null')
  if (process?.log?.endsWith(' (deleted)'))
    found.push(`what the engine logs goes to a file that is gone: ${process.log}`)
  return found
}

function storage({ engine, storage: { driver, toldDriver, dataRoot, mount, inMemory, usage } }: Environment): string[] {
  const found = []
  const overlay = mount?.type === 'overlay'
  if (overlay && (driver === null || driver.startsWith('overlay'))) {
    found.push(
      `overlay on overlay: the data root ${dataRoot} is on an overlay itself, and the driver is ${driver ?? 'not known'}: most kernels refuse such mounts with "invalid argument"`,
    )
  } else if (overlay && engine.kind === 'docker' && driver === 'vfs' && toldDriver === undefined) {
    found.push(`overlay on overlay: the data root ${dataRoot} is on an overlay itself, and the engine fell back to vfs`)
  } else if (overlay) {
    found.push(`the data root ${dataRoot} is in the file system of a container: it is gone with that container`)
  }
  if (inMemory) {
    found.push(
      `the data root ${dataRoot} is in memory (${mount?.type}): images take memory, and are gone after a restart`,
    )
  }
  if ('usedPercent' in usage && (usage.usedPercent ?? 0) >= fullPercent)
    found.push(`${dataRoot} is ${usage.usedPercent} % full`)
  if ('inodesUsedPercent' in usage && (usage.inodesUsedPercent ?? 0) >= fullPercent) {
    found.push(`${dataRoot} has ${usage.inodesUsedPercent} % of its inodes in use`)
  }
  if (driver === 'vfs') found.push('storage driver vfs: each layer is a whole copy of the one below: slow, and large')
  if ('problem' in usage) found.push(`how full ${dataRoot} is cannot be told: ${usage.problem}`)
  return found
}

function cgroups({ cgroup, rootless }: Environment): string[] {
  const { version, missing, notHandedDown = [], readOnly, driver } = cgroup
  const found = []
  if (version === 'none') found.push('no cgroups are mounted: limits of containers cannot work')
  if (missing.length > 0) found.push(`cgroup ${version} without ${missing.join(', ')}: those limits cannot work`)
  if (notHandedDown.length > 0) {
    found.push(`cgroup.subtree_control at the top does not hand down ${notHandedDown.join(', ')}`)
  }
  if (readOnly.length > 0) found.push(`cgroups are mounted read-only: ${readOnly.slice(0, 3).join(', ')}`)
  if (driver === 'none') found.push('cgroup driver none: containers have no limits, and no numbers of their use')
  return rootless === true ? found.filter((text) => !text.includes('read-only')) : found
}

function access({ socket, rootPropagation: { of, mode } }: Environment): string[] {
  const found = []
  if ('mode' in socket && (Number.parseInt(socket.mode ?? '0', 8) & 0o002) !== 0) {
    found.push(`the socket ${socket.path} has mode ${socket.mode}: every user here can become root through it`)
  }
  if (mode !== null && !mode.includes('shared:')) {
    found.push(
      `/ of ${of} is not shared (${mode}): mounts that are made later do not reach containers, nor theirs the host`,
    )
  }
  return found
}

function network({
  network: { settings, legacyTables, modules, commandIs, ipv4Forwarding },
  process,
}: Environment): string[] {
  const found = []
  if (off(settings['iptables']))
    found.push('--iptables=false: ports are not published by rules, networks not separated')
  if (settings['bridge'] === 'none') found.push('--bridge=none: containers have no default network')
  if (off(settings['userland-proxy']) && off(settings['iptables'])) {
    found.push('neither rules nor --userland-proxy: published ports reach nothing')
  }
  const legacy = (legacyTables?.length ?? 0) > 0
  if (legacy && commandIs === 'nft') {
    found.push(
      `iptables is of the kind nft, and there are legacy tables too (${legacyTables!.join(', ')}): both filter`,
    )
  }
  if (process && !off(settings['iptables']) && !modules.includes('nf_tables') && !modules.includes('ip_tables')) {
    found.push('neither nf_tables nor ip_tables is loaded, and the engine was not told --iptables=false')
  }
  if (ipv4Forwarding === '0' && settings['bridge'] !== 'none')
    found.push('net.ipv4.ip_forward is 0: containers on a bridge reach nothing outside')
  return found
}

function surroundings({ lazyStart: { script, files }, registries }: Environment): string[] {
  const found = []
  if (script?.startsEngine) {
    found.push(
      `${script.path} is a script that starts the engine: whoever runs it changes this machine; diagd never does`,
    )
  }
  for (const { path, pid, alive } of files) {
    if (alive === false) found.push(`${path} names pid ${pid}, which is not there: the engine it started has ended`)
  }
  const insecure = registries.insecure.filter((name) => name !== '127.0.0.0/8' && name !== '::1/128')
  if (insecure.length > 0)
    found.push(`registries without TLS, or whose certificate is not checked: ${insecure.join(', ')}`)
  return found
}
