/** What a command may know: nothing of the daemon's own environment, and nothing that changes its output. */

/** The whole environment of a child. English, UTC, no pager, no colour, and lines as wide as they are. */
export function childEnvironment(path: string): Record<string, string> {
  return {
    PATH: path,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HOME: '/nonexistent',
    // cloud-init and other Python tools would write __pycache__ where a package brought none.
    PYTHONDONTWRITEBYTECODE: '1',
    TERM: 'dumb',
    PAGER: 'cat',
    SYSTEMD_PAGER: '',
    SYSTEMD_COLORS: '0',
    NO_COLOR: '1',
    // ps, systemctl and systemd-cgls cut lines at 80 columns without it; none pads to it (dpkg -l, list-unit-files tried).
    COLUMNS: '10000',
  }
}

/** Commands that wait for an answer over D-Bus, and all hang when it is dead. */
const DBUS_COMMANDS = new Set([
  'busctl',
  'firewall-cmd',
  'hostnamectl',
  'localectl',
  'loginctl',
  'machinectl',
  'networkctl',
  'nmcli',
  'resolvectl',
  'systemctl',
  'systemd-analyze',
  'systemd-cgls',
  'systemd-inhibit',
  'systemd-resolve',
  'timedatectl',
  'udisksctl',
])

export function talksToDbus(name: string): boolean {
  return DBUS_COMMANDS.has(name)
}
