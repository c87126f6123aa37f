/** Which names under /var/log are plain logs that no other collector gathers. No I/O. */

/** What syslog daemons call files that do not end with `.log`. */
const SYSLOG = /^(?:syslog|messages|secure|maillog|mail\.(?:err|warn|info)|cron|spooler|debug|boot|dmesg)(?:[-.].*)?$/
/** `app.log`, `app.log.2.gz`, `app.log-20260102`, `access_log.1`. */
const LOG = /[._]log(?:[-.].*)?$/
/** With the collectors cloud-init, kernel, docker and packages. */
const OTHERS =
  /^(?:cloud-init(?:-output)?|kern|dockerd|docker|containerd|dpkg|alternatives|dnf|dnf\.librepo|dnf\.rpm|hawkey|yum|pacman)\.log/

export const isPlainLog = (name: string): boolean => (SYSLOG.test(name) || LOG.test(name)) && !OTHERS.test(name)

/** Folders with the collectors packages, security, journal and containers, or with nothing that is plain text. */
const OTHERS_FOLDERS = new Set([
  'apt',
  'audit',
  'containers',
  'dnf',
  'journal',
  'pods',
  'sa',
  'sysstat',
  'unattended-upgrades',
  'zypp',
])

export const isOthersFolder = (name: string): boolean => OTHERS_FOLDERS.has(name)
