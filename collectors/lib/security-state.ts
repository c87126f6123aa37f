import type { Kit } from '../../src/collector.ts'

/** Switches of /proc/sys that decide what an unprivileged process may do. */
const switches = [
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
  'kernel/apparmor_restrict_unprivileged_unconfined',
  'user/max_user_namespaces',
  'kernel/unprivileged_bpf_disabled',
  'kernel/yama/ptrace_scope',
  'kernel/dmesg_restrict',
  'kernel/kptr_restrict',
  'kernel/perf_event_paranoid',
  'kernel/modules_disabled',
  'kernel/kexec_load_disabled',
  'kernel/io_uring_disabled',
  'kernel/randomize_va_space',
  'fs/protected_hardlinks',
  'fs/protected_symlinks',
]

/** Which security modules are on, in which mode, and the limits they set. null: the kernel has no such file, or root alone reads it. */
export async function securityState(kit: Kit) {
  const read = async (path: string) => (await kit.read(path))?.trim() ?? null
  const words = async (path: string) => (await read(path))?.split(/[\s,]+/).filter((word) => word !== '') ?? null
  const enforce = await read('/sys/fs/selinux/enforce')
  return {
    modules: await words('/sys/kernel/security/lsm'),
    lockdown: chosen(await read('/sys/kernel/security/lockdown')),
    apparmor: {
      enabled: await read('/sys/module/apparmor/parameters/enabled'),
      profilesByMode: byMode(await kit.read('/sys/kernel/security/apparmor/profiles', 4 << 20)),
    },
    selinux: enforce === null ? 'not mounted' : enforce === '1' ? 'enforcing' : 'permissive',
    seccomp: {
      actionsAvailable: await words('/proc/sys/kernel/seccomp/actions_avail'),
      actionsLogged: await words('/proc/sys/kernel/seccomp/actions_logged'),
    },
    ownConfinement: await read(`/proc/${kit.self.pid}/attr/current`),
    switches: Object.fromEntries(
      await Promise.all(
        switches.map(async (name) => [name.replaceAll('/', '.'), await read(`/proc/sys/${name}`)] as const),
      ),
    ),
  }
}

/** `none [integrity] confidentiality` → `integrity`. */
const chosen = (choices: string | null) => choices && (/\[(\w+)\]/.exec(choices)?.[1] ?? choices)

/** Lines of `name (mode)`. */
function byMode(profiles: string | undefined): Record<string, number> | null {
  if (profiles === undefined) return null
  const counts: Record<string, number> = {}
  for (const [, mode = ''] of profiles.matchAll(/\((\w+)\)$/gm)) counts[mode] = (counts[mode] ?? 0) + 1
  return counts
}
