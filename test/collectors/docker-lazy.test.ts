import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeWithDocker } from '../helpers/docker.ts'
import { fixture } from '../helpers/kit.ts'

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

/** What a bundle says of the engine of a Pod, in namespaces of its own, where `docker` is a script that starts it. */
async function environmentIn(state: 'started' | 'never started'): Promise<string> {
  const pod = ['-m', '-p', '--fork', '--kill-child', '--mount-proc', 'bash', fixture('docker', 'lazy-pod.sh'), state]
  const collect = [process.execPath, cli, 'collect', '--only', 'docker', '-o', '-']
  const env = { PATH: process.env['PATH'], DIAGD_CONFIG_DIR: '/nonexistent' }
  const { stdout } = await promisify(execFile)('unshare', [...pod, ...collect], { env })
  return stdout
}

describeWithDocker('a Pod where docker is a script that starts the engine', () => {
  test('says so, and what it left behind; its data is in memory, its socket open to all', async () => {
    const page = await environmentIn('started')
    expect(page).toMatch(/^! the data root \/var\/lib\/docker is in memory \(tmpfs\)/m)
    expect(page).toMatch(/^! the socket \/run\/docker\.sock has mode 0666/m)
    expect(page).toMatch(/^! \/usr\/local\/bin\/docker is a script that starts the engine/m)
    expect(page).toContain('started by          a script that starts the engine when it is needed: /tmp/dockerd.pid')
    expect(page).toContain('its log goes to     /tmp/dockerd.log\n')
    expect(page).toMatch(/file +\/tmp\/dockerd\.lock/)
    expect(page).toMatch(/API listen on \/var\/run\/docker\.sock/)
    expect(page).toContain('the wrapper ran 1 times, dockerd runs 1 times')
  })

  test('keeps its engine stopped while a bundle is collected', async () => {
    const page = await environmentIn('never started')
    expect(page).toMatch(/^! the engine was not asked: it does not exist$/m)
    expect(page).toMatch(/^! \/usr\/local\/bin\/docker is a script that starts the engine/m)
    expect(page).toContain('the wrapper ran 0 times, dockerd runs 0 times')
  })
})
