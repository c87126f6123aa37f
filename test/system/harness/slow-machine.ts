/** A machine on whose first boot everything goes wrong that makes a boot slow: staged with real units, cloud-init and Docker. */
import { installingUserData } from './diagd.ts'
import type { RootOptions } from './prepare.ts'

/** More than what counts as silence (collectors/lib/boot-timeline/findings.ts), so much that what else is busy does not matter. */
const WAIT_S = 38

export function slowRoot(): RootOptions {
  return {
    userData: installingUserData(['[bash, -eux, /opt/provision]'], keys),
    copies: { '/opt/image/bin/busybox': '/bin/busybox' },
    files: {
      // A network whose DHCP server does not answer.
      '/etc/systemd/network/10-eth0.network': '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n',
      '/etc/systemd/system/network-online.target.d/wait.conf': '[Unit]\nWants=systemd-networkd-wait-online.service\n',
      '/etc/systemd/system/systemd-networkd-wait-online.service.d/timeout.conf': `[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --interface=eth0 --timeout=${WAIT_S}
`,
    },
  }
}

const units = {
  // Its runtime is installed later.
  agent: `[Unit]
Description=Agent of the control plane
StartLimitIntervalSec=0
[Service]
ExecStart=/opt/agent
Restart=always
RestartSec=1
`,
  // Restarted, it fails: the container of the time before still has the name.
  web: `[Unit]
Description=The web application, in a container
Requires=docker.service
After=docker.service
[Service]
ExecStart=/usr/bin/docker run --init --name web busybox sleep 1000000
`,
  shipper: `[Unit]
Description=Ships the logs of containers
BindsTo=docker.service
After=docker.service
[Service]
ExecStart=/usr/bin/sleep infinity
`,
  watch: `[Unit]
Description=Watches containers
PartOf=docker.service
After=docker.service
[Service]
ExecStart=/usr/bin/sleep infinity
`,
}

const provision = `systemctl daemon-reload
systemctl start agent
diagd event provision.agent-runtime --status started
# A download: the agent fails three times meanwhile.
journalctl --quiet --follow --lines=all --unit=agent | grep --max-count=3 "Failed with result"
printf '#!/bin/sh\\nexec sleep infinity\\n' >/usr/local/bin/agent-runtime
chmod 755 /usr/local/bin/agent-runtime
diagd event provision.agent-runtime --status finished
ln -s busybox /opt/image/bin/sleep
tar -C /opt/image -c . | docker import - busybox
systemctl start web shipper watch
until docker inspect web >/dev/null; do sleep 0.1; done
logger "PHASE START: configure-docker"
echo '{ "log-opts": { "max-size": "10m" } }' >/etc/docker/daemon.json
systemctl restart docker
logger "PHASE END: configure-docker"
diagd event provision.warm-cache --status started
`

const keys = `write_files:
${[
  ...Object.entries(units).map(([name, unit]) => file(`/etc/systemd/system/${name}.service`, unit)),
  file('/opt/agent', '#!/bin/sh\nexec agent-runtime\n', '0755'),
  file('/opt/provision', provision),
].join('')}`

function file(path: string, content: string, mode = '0644'): string {
  return `  - path: ${path}
    permissions: '${mode}'
    content: |
${content.trimEnd().replaceAll(/^/gm, '      ')}
`
}
