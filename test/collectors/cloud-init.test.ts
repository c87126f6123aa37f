import { describe, expect, test } from 'vitest'
import cloudInit from '../../collectors/cloud-init.ts'
import { described, testKit, tree } from '../helpers/kit.ts'

const instanceData = {
  base64_encoded_keys: [],
  ds: {
    meta_data: {
      hostname: 'node-1',
      public_keys: ['ssh-ed25519 AAAA ops'],
      identity: { region: 'eu-1', 'my-odd-name': 'hunter2' },
    },
    user_data: 'hunter2',
    random_seed: 'hunter2',
  },
  merged_cfg: { users: ['hunter2'] },
  sensitive_keys: ['ds/meta_data/identity/my-odd-name', 'merged_cfg'],
  v1: { cloud_name: 'openstack', instance_id: 'i-0123', public_ssh_keys: ['ssh-ed25519 AAAA ops'] },
}

const files = {
  '/run/cloud-init/instance-data.json': JSON.stringify(instanceData),
  '/run/cloud-init/status.json': '{}',
  '/etc/cloud/cloud.cfg': 'users: [default]\n',
  '/etc/cloud/cloud.cfg.d/05_logging.cfg': 'log_cfgs: []\n',
  '/etc/cloud/cloud.cfg.d/90_dpkg_maas.cfg': { content: 'oauth: hunter2\n', mode: 0o600 },
  '/var/lib/cloud/data/status.json': '{}',
  '/var/lib/cloud/data/result.json': '{}',
  '/var/lib/cloud/instance/obj.pkl': '\u0080',
  '/var/lib/cloud/instance/user-data.txt': '#!/bin/sh\necho hunter2\n',
  '/var/lib/cloud/instance/scripts/part-001': 'echo hunter2\n',
  '/var/lib/cloud/instance/scripts/vendor/setup': 'echo hunter2\n',
  '/var/lib/cloud/scripts/per-boot/up': 'echo hunter2\n',
  '/var/lib/cloud/instance/sem/config_runcmd': '1: 2026-01-02\n',
  '/var/lib/cloud/seed/nocloud/user-data': 'hunter2\n',
}

const collected = async () => described(cloudInit, testKit({ root: await tree(files) }))

describe('instance data', () => {
  test('keeps what describes the instance', async () => {
    expect(await (await collected()).value('instance-data.json')).toMatchObject({
      ds: { meta_data: { hostname: 'node-1', public_keys: ['ssh-ed25519 AAAA ops'], identity: { region: 'eu-1' } } },
      v1: { cloud_name: 'openstack', instance_id: 'i-0123', public_ssh_keys: ['ssh-ed25519 AAAA ops'] },
    })
  })

  test('drops what cloud-init calls sensitive and what may be anything in base64, and shows that it did', async () => {
    const value = await (await collected()).value('instance-data.json')
    expect(JSON.stringify(value)).not.toContain('hunter2')
    expect(value).toHaveProperty('merged_cfg', 'dropped: may be secret')
  })
})

test('configuration, user-data, scripts and seeds are handed over as they are, for the mask', async () => {
  const { all } = await collected()
  const files = all.filter(({ kind, name }) => kind === 'file' && !name?.endsWith('.json'))
  expect(Object.fromEntries(files.map(({ name, paths }) => [name, paths?.[0]]))).toEqual({
    'cloud.cfg': '/etc/cloud/cloud.cfg',
    'cloud.cfg.d/05_logging.cfg': '/etc/cloud/cloud.cfg.d/05_logging.cfg',
    'cloud.cfg.d/90_dpkg_maas.cfg': '/etc/cloud/cloud.cfg.d/90_dpkg_maas.cfg',
    'obj.pkl': '/var/lib/cloud/instance/obj.pkl',
    'scripts/part-001': '/var/lib/cloud/instance/scripts/part-001',
    'scripts/per-boot/up': '/var/lib/cloud/scripts/per-boot/up',
    'scripts/vendor/setup': '/var/lib/cloud/instance/scripts/vendor/setup',
    'seed/nocloud/user-data': '/var/lib/cloud/seed/nocloud/user-data',
    'user-data.txt': '/var/lib/cloud/instance/user-data.txt',
  })
})

test('the link to the instance may be followed', async () => {
  expect((await collected()).named('user-data.txt').within).toContain('/var/lib/cloud')
})

test('status comes from this boot, the result from the last one that has any', async () => {
  const entries = await collected()
  expect(entries.named('status.json').paths).toEqual(['/run/cloud-init/status.json'])
  expect(entries.named('result.json').paths).toEqual(['/var/lib/cloud/data/result.json'])
})

test('exit codes 1 and 2 of cloud-init status are answers', async () => {
  expect((await collected()).named('status.txt')).toMatchObject({
    accepted: [1, 2],
    needs: [{ command: 'cloud-init' }],
  })
})

test('which modules ran, and when, is listed', async () => {
  expect(await (await collected()).value('files.json')).toContainEqual({
    path: '/var/lib/cloud/instance/sem/config_runcmd',
    sizeBytes: 14,
    modified: expect.stringMatching(/^\d{4}-.*Z$/),
  })
})

test('a machine without cloud-init is told in one sentence', async () => {
  const entries = await described(cloudInit, testKit({ root: await tree({}) }))
  expect(entries.all).toMatchObject([{ kind: 'skipped', reason: expect.stringContaining('has left no trace') }])
})
