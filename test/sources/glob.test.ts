import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { expandGlobs } from '../../src/sources/glob.ts'
import { openFile } from '../../src/sources/file.ts'
import { pathBytes, pathText } from '../../src/sources/paths.ts'
import { deadFuse } from '../helpers/dead-fuse.ts'
import { fileContext, readAll, tempFolder } from '../helpers/file-source.ts'

async function tree(...paths: readonly string[]): Promise<string> {
  const root = await tempFolder()
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), path)
  }
  return root
}

async function expand(root: string, ...globs: readonly string[]) {
  const { matches, problems } = await expandGlobs(globs, fileContext({ root }))
  return { paths: matches.map(({ path }) => path), roots: matches.map((match) => match.root), problems }
}

test.each([
  ['/log/a*', ['/log/a.log', '/log/a.log.1']],
  ['/log/a.log.?', ['/log/a.log.1']],
  ['/log/[bc].log', ['/log/b.log', '/log/c.log']],
  ['/log/{a,c}.log', ['/log/a.log', '/log/c.log']],
  ['/log/*.log', ['/log/a.log', '/log/b.log', '/log/c.log']],
  ['/*/a.log', ['/log/a.log']],
  ['/log/*/x.log', ['/log/app/x.log']],
  ['/log/**/*.log', ['/log/a.log', '/log/app/deep/y.log', '/log/app/x.log', '/log/b.log', '/log/c.log']],
  ['/log/app/**', ['/log/app/deep/y.log', '/log/app/x.log']],
  ['/log/.h*', ['/log/.hidden']],
  ['/log/a.log', ['/log/a.log']],
])('%s', async (glob, expected) => {
  const root = await tree(
    'log/a.log',
    'log/a.log.1',
    'log/b.log',
    'log/c.log',
    'log/.hidden',
    'log/app/x.log',
    'log/app/deep/y.log',
    'log/.git/config.log',
  )
  expect(await expand(root, glob)).toMatchObject({ paths: expected, problems: [] })
})

test('several globs give sorted paths, each once, with the root of the first that matched', async () => {
  const root = await tree('log/b', 'log/a', 'etc/x')
  const { paths, roots } = await expand(root, '/log/*', '/etc/x', '/log/{a,b}', '/*/a')
  expect(paths).toEqual(['/etc/x', '/log/a', '/log/b'])
  expect(roots).toEqual(['/etc', '/log', '/log'])
})

test('folders match for looking only', async () => {
  const root = await tree('log/file', 'log/folder/x')
  expect((await expand(root, '/log/*')).paths).toEqual(['/log/file'])
  const { matches } = await expandGlobs(['/log/*'], fileContext({ root }), true)
  expect(matches.map(({ path }) => path)).toEqual(['/log/file', '/log/folder'])
})

test('behind a wildcard, links to folders are not followed; before it they are', async () => {
  const root = await tree('data/app/x.log')
  await symlink('data', join(root, 'log'))
  await symlink('app', join(root, 'data', 'link'))
  await symlink('..', join(root, 'data', 'app', 'loop'))
  expect((await expand(root, '/log/*/x.log')).paths).toEqual(['/log/app/x.log'])
  expect((await expand(root, '/log/**/*.log')).paths).toEqual(['/log/app/x.log'])
})

test('links to files match; whoever opens them decides', async () => {
  const root = await tree('log/a')
  await symlink('/etc/shadow', join(root, 'log', 'b'))
  expect((await expand(root, '/log/*')).paths).toEqual(['/log/a', '/log/b'])
})

test('links of sysfs are followed', async () => {
  expect((await expand('', '/sys/class/net/*/mtu')).paths).toContain('/sys/class/net/lo/mtu')
})

test('nothing that matches is a problem of its own kind', async () => {
  const root = await tree('log/a')
  expect((await expand(root, '/log/x*', '/nowhere/*', '/log/x')).problems).toEqual([
    { pattern: '/log/x*', outcome: 'skipped', detail: 'nothing matches /log/x*', absent: true },
    { pattern: '/nowhere/*', outcome: 'skipped', detail: 'nothing matches /nowhere/*', absent: true },
    { pattern: '/log/x', outcome: 'skipped', detail: '/log/x does not exist', absent: true },
  ])
})

test.each(['log/*', '/{log/a,etc/b}'])('%s is refused, saying what is accepted', async (glob) => {
  expect((await expand(await tree('log/a'), glob)).problems).toMatchObject([
    { pattern: glob, outcome: 'failed', detail: expect.stringContaining('a glob is an absolute path') as string },
  ])
})

test('`**` goes eight folders deep and says where it stopped', async () => {
  const deep = Array.from({ length: 9 }, (_, index) => `d${index}`)
  const root = await tree(`log/${deep.slice(0, 8).join('/')}/in`, `log/${deep.join('/')}/out`)
  const { paths, problems } = await expand(root, '/log/**')
  expect(paths).toEqual([`/log/${deep.slice(0, 8).join('/')}/in`])
  expect(problems).toMatchObject([
    { outcome: 'partial', detail: `/log/${deep.join('/')} is deeper than 8 folders: not walked` },
  ])
})

test('of more than 10 000 matches the first are taken, and the rest is said', async () => {
  const root = await tree('log/x')
  await Promise.all(Array.from({ length: 10_005 }, (_, index) => writeFile(join(root, 'log', `f${index}`), '')))
  const { paths, problems } = await expand(root, '/log/*')
  expect(paths).toHaveLength(10_000)
  expect(paths[0]).toBe('/log/f0')
  expect(problems).toMatchObject([{ outcome: 'partial', detail: '10006 files match, the first 10000 are taken' }])
})

test.each([
  ['a newline', Buffer.from('a\nb')],
  ['255 bytes', Buffer.alloc(255, 'ü')],
  ['bytes that are not UTF-8', Buffer.of(0x61, 0xff, 0xfe, 0x80)],
])('a name with %s is found and opened', async (_, name) => {
  const folder = await tempFolder()
  const path = pathText(Buffer.concat([Buffer.from(`${folder}/`), name.subarray(0, 255)]))
  await writeFile(pathBytes(path), 'x')
  const { matches } = await expandGlobs([`${folder}/*`], fileContext())
  expect(matches).toEqual([{ path, root: folder }])
  expect((await readAll(await openFile({ path, windowed: false }, fileContext()))).text).toBe('x')
})

test('a mount that never answers is not walked into, and said', async ({ skip }) => {
  const dead = await deadFuse()
  if (!dead) return skip('needs root and /dev/fuse')
  onTestFinished(() => dead.stop())
  const parent = dirname(dead.path)
  const name = dead.path.slice(parent.length + 1)
  const detail = `${dead.path} is a mount of type fuse, which is not touched: it may never answer`
  for (const pattern of [`${dead.path}/*.log`, `${parent}/${name.slice(0, -1)}?/x`, `${parent}/${name}*/**`]) {
    const { matches, problems } = await expandGlobs([pattern], fileContext())
    expect(matches).toEqual([])
    expect(problems).toEqual([{ pattern, outcome: 'skipped', detail }])
  }
  const literal = await expandGlobs([`${dead.path}/log`], fileContext())
  expect(literal).toEqual({ matches: [{ path: `${dead.path}/log`, root: dead.path }], problems: [] })
})

test.runIf(process.geteuid?.() !== 0)('a folder that may not be listed is said', async () => {
  const root = await tree('log/a')
  await chmod(join(root, 'log'), 0)
  onTestFinished(() => chmod(join(root, 'log'), 0o755))
  expect((await expand(root, '/log/*')).problems).toMatchObject([{ outcome: 'skipped' }])
})
