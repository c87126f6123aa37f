import type { Collector } from '../src/collector.ts'
import { configFiles } from './lib/config-files.ts'
import { ringBuffer } from './lib/kernel-ring-buffer.ts'
import { securityState } from './lib/security-state.ts'

/** How AppArmor, SELinux, seccomp, lockdown and the integrity subsystem word a refusal. */
const denial = 'apparmor="DENIED"|avc: +denied|type=1326|SECCOMP|Lockdown: |USER_AVC|INTEGRITY_'

export default {
  title: 'Linux security modules and what they denied',
  tier: 'facts',
  async *collect(kit) {
    yield kit.json('security.json', () => securityState(kit))
    yield kit.file('/sys/kernel/security/apparmor/profiles').as('apparmor-profiles.txt').in('state')
    const files = ['/etc/selinux/config', '/etc/audit/auditd.conf', '/etc/audit/rules.d/*.rules']
    for await (const file of configFiles(kit, 'config', ...files)) yield file.in('state')
    // Exit code 1: nothing matched.
    yield kit
      .journal({ args: ['_TRANSPORT=kernel', '_TRANSPORT=audit', `--grep=${denial}`] })
      .as('denials-journal.log')
      .in('state')
      .accept(1)
      .needs({ command: 'journalctl' })
    const { text, reason } = await ringBuffer(kit)
    if (reason !== undefined) yield kit.skipped('denials-dmesg.log', reason)
    else yield kit.text('denials-dmesg.log', () => matching(text)).in('state')
    yield kit.logs('/var/log/audit/audit.log*').as('audit/').in('logs')
  },
} satisfies Collector

function matching(log: string): string {
  const pattern = new RegExp(denial)
  const lines = log.split('\n').filter((line) => pattern.test(line))
  return lines.map((line) => `${line}\n`).join('')
}
