import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../helpers/archive.ts'

const NAME = 'diagd-upload-shutdown.service'
const UNIT = join(import.meta.dirname, '../../systemd', NAME)

function valuesOf(key: string): string[] {
  const lines = readFileSync(UNIT, 'utf8').split('\n')
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1))
}

function folderOfTest(): string {
  const { path, remove } = temporaryFolder()
  onTestFinished(remove)
  return path
}

test('it is stopped before diagd, the network, names and containers are', () => {
  const after = valuesOf('After').flatMap((value) => value.split(' '))
  for (const unit of [
    'diagd.service',
    'network.target',
    'network-online.target',
    'nss-lookup.target',
    'docker.service',
  ])
    expect(after).toContain(unit)
  // systemd's defaults stop it at a shutdown at all.
  expect(valuesOf('DefaultDependencies')).toEqual([])
  expect([valuesOf('Type'), valuesOf('RemainAfterExit')]).toEqual([['oneshot'], ['yes']])
})

test('it pulls nothing in: no boot waits for the network because of it', () => {
  for (const key of ['Wants', 'Requires', 'BindsTo', 'Requisite', 'Upholds', 'ExecStart', 'ExecStartPre'])
    expect(valuesOf(key)).toEqual([])
})

test('it gives up before systemd does', () => {
  const [, waits] = /--timeout (\d+)s/.exec(valuesOf('ExecStop')[0]!)!
  expect(Number(waits)).toBeLessThan(Number.parseInt(valuesOf('TimeoutStopSec')[0]!))
})

/** @returns with what diagd was called; undefined: it was not. */
function stopped(state: string): string | undefined {
  const folder = folderOfTest()
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  program('systemctl', `[ "$*" = is-system-running ] && echo ${state}; exit 1`)
  program('diagd', `echo "$*" >${folder}/called`)
  // As systemd reads it: quotes around, and a dollar is written twice.
  const [, script] = /^\/bin\/sh -c '(.*)'$/.exec(valuesOf('ExecStop')[0]!)!
  const line = script!.replaceAll('$$', '$').replaceAll('/usr/bin/diagd', join(folder, 'diagd'))
  const { status } = spawnSync('/bin/sh', ['-c', line], { env: { PATH: `${folder}:/usr/bin:/bin` } })
  expect(status).toBe(0)
  return existsSync(join(folder, 'called')) ? readFileSync(join(folder, 'called'), 'utf8').trim() : undefined
}

test('it uploads when the machine goes down, and not when somebody stops it', () => {
  expect(stopped('stopping')).toBe('upload --trigger shutdown --wait --timeout 25s --limits bundle=5MiB,command=5s')
  for (const state of ['running', 'degraded', 'maintenance', 'starting']) expect(stopped(state)).toBeUndefined()
})

const analyze = existsSync('/usr/bin/systemd-analyze')

test.runIf(analyze)('systemd finds nothing wrong with it', () => {
  const copy = join(folderOfTest(), NAME)
  writeFileSync(copy, readFileSync(UNIT, 'utf8').replaceAll('/usr/bin/diagd', '/bin/true'))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' })
  expect([status, stderr.split('\n').filter((line) => line.includes(NAME))]).toEqual([0, []])
})

test.runIf(analyze)('its exposure is 2.5 at most', () => {
  const args = ['security', '--offline=true', '--threshold=25', '--no-pager', UNIT]
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  expect([status, stdout.split('\n').filter((line) => line.includes('Overall'))]).toEqual([0, [expect.any(String)]])
})
