import { expect, test } from 'vitest'
import { neverReadReason } from '../../src/sources/never-read.ts'

test.each([
  '/proc/kmsg',
  '/proc/kcore',
  '/proc/1/mem',
  '/proc/self/environ',
  '/proc/1/task/2/environ',
  '/proc/keys',
  '/dev/watchdog',
  '/dev/mapper/vg-root',
  '/sys/kernel/tracing/trace_pipe',
  '/sys/kernel/debug/tracing/per_cpu/cpu0/trace_pipe_raw',
  '/home/anna/.ssh/id_ed25519',
  '/root/.bash_history',
  '/root/.config/x',
  '/var/lib/docker/volumes/db/_data/pg.log',
  '/var/lib/containers/storage/volumes/db/_data/x',
  '/var/lib/systemd/coredump/core.nginx.0.abc.1.zst',
  '/var/crash/_usr_bin_x.0.crash',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/gshadow',
  '/etc/ssh/ssh_host_ed25519_key',
  '/etc/ssl/private/ssl-cert-snakeoil.key',
  '/etc/letsencrypt/live/example.org/privkey.pem',
  '/run/cloud-init/instance-data-sensitive.json',
  '/run/cloud-init/combined-cloud-config.json',
  '/var/lib/diagd/events.db',
  '/var/lib/diagd/events.db-wal',
  '/var/lib/cloud/instance/cloud-config.txt',
  '/var/lib/cloud/instances/i-0/vendor-cloud-config.txt',
  '/var/lib/cloud/instance/vendor2-cloud-config.txt.i',
  '/var/lib/cloud/instance/obj.pkl',
  '/var/lib/cloud/instances/i-0abc/obj.pkl',
])('%s is never read', (path) => {
  expect(neverReadReason(path)).toMatch(/\w/)
})

test.each([
  '/proc/meminfo',
  '/proc/1/status',
  '/proc/sys/kernel/keys/maxkeys',
  '/etc/passwd',
  '/etc/ssh/sshd_config',
  '/etc/ssh/ssh_host_ed25519_key.pub',
  '/etc/letsencrypt/live/example.org/fullchain.pem',
  '/run/cloud-init/instance-data.json',
  '/run/cloud-init/status.json',
  '/var/log/syslog',
  '/sys/class/net/eth0/mtu',
  '/var/lib/cloud/instances/i-0abc/boot-finished',
  '/var/lib/cloud/instance/user-data.txt',
  '/var/lib/cloud/instances/i-0abc/scripts/part-001',
  '/var/lib/cloud/seed/nocloud/user-data',
])('%s may be read', (path) => {
  expect(neverReadReason(path)).toBeUndefined()
})
