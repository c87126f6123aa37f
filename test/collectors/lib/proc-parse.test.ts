import { describe, expect, test } from 'vitest'
import {
  parseCgroup,
  parseCmdline,
  parseOpenFilesLimit,
  parsePasswd,
  parseStat,
  parseStatus,
} from '../../../collectors/lib/proc-parse.ts'

describe('/proc/PID/stat', () => {
  const rest = 'S 1 9 9 0 -1 4194560 9 9 9 9 250 50 9 9 20 0 3 0 12345 9 9'

  test('a name may hold spaces and brackets', () => {
    expect(parseStat(`42 (a) S (b c)) ${rest}`)).toEqual({
      comm: 'a) S (b c)',
      state: 'S',
      ppid: 1,
      kernelThread: false,
      cpuTicks: 300,
      threads: 3,
      startTicks: 12345,
    })
  })

  test('a text cut short is no process', () => {
    expect(parseStat('')).toBeUndefined()
    expect(parseStat('42 (x) S 1 9')).toBeUndefined()
  })
})

test('a kernel thread has no memory in its status', () => {
  expect(parseStatus('Name:\tx\nUid:\t7\t8\t9\t10\n')).toEqual({ uid: 7, rssBytes: 0, swapBytes: 0 })
})

test.each([
  ['0::/system.slice/a.service\n', '/system.slice/a.service'],
  ['4:memory:/docker/abc\n1:name=systemd:/system.slice/docker-abc.scope\n0::/\n', '/system.slice/docker-abc.scope'],
  ['4:memory:/x\n1:name=systemd:/\n', '/x'],
  ['0::/\n', '/'],
  ['0::/a:b\n', '/a:b'],
  ['', ''],
])('the control group of %j is %s', (text, path) => {
  expect(parseCgroup(text)).toBe(path)
})

test('arguments are split at zero bytes, empty ones kept', () => {
  expect(parseCmdline('a\0\0b c\0')).toEqual(['a', '', 'b c'])
  expect(parseCmdline('')).toEqual([])
})

test('the limit of open files may be none', () => {
  expect(parseOpenFilesLimit('Max open files            unlimited            unlimited            files\n')).toBe(
    Infinity,
  )
  expect(parseOpenFilesLimit('')).toBeUndefined()
})

test('the first name of a uid counts', () => {
  expect(parsePasswd('root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n').get(0)).toBe('root')
})
