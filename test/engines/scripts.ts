/** What is run in a place to have an engine there. */

/** Copies the engine's programs to where they belong: nothing of them was there before. */
export const INSTALL = `
mkdir -p /usr/local/bin /usr/sbin
cp /opt/sbin/dockerd /opt/sbin/runc /opt/bin/containerd /opt/bin/containerd-shim-runc-v2 /usr/local/bin/
cp /opt/sbin/xtables-nft-multi /usr/sbin/
for name in iptables ip6tables; do ln -s xtables-nft-multi /usr/sbin/$name; done
`

/** Containers see their control groups read-only. Of version 2, a group with processes hands no controller down. */
export const OWN_CGROUPS = `
for tree in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,rw,bind $tree 2>/dev/null || true; done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir /sys/fs/cgroup/own
  for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo $pid >/sys/fs/cgroup/own/cgroup.procs || true; done
  for name in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$name >/sys/fs/cgroup/cgroup.subtree_control; done
fi
mount -o remount,rw,bind /proc/sys
`

/** Starts one with what follows, and waits until it listens. */
export const started = (command: string, log: string) => `
${command} >${log} 2>&1 &
until grep -q 'API listen' ${log}; do kill -0 $! || { cat ${log}; exit 1; }; sleep 0.05; done
`

/** The best there is, as on other people's machines: so that what is inside lies on an overlay. */
export const BEST_DRIVER: string[] = []

/** Without network, and without what a network would need. */
export const MODEST =
  '--iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false --bridge=none'

/** Where the kernel is emulated there are none; the mounts that are left are those of the container's first moment. */
export const NO_CGROUPS = `
for tree in /sys/fs/cgroup/*/; do umount $tree; done
umount /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
`

/** `docker` is a script that starts the engine for its first caller, keeps its data in memory and leaves files in /tmp. */
export const LAZY_DOCKER = `
cat >/usr/local/bin/docker <<'EOF'
#!/bin/sh
echo ran >>/wrapper-ran
exec 9>/tmp/dockerd.lock
flock 9
mount -t tmpfs tmpfs /var/lib/docker
dockerd ${MODEST} >/tmp/dockerd.log 2>&1 9>&- &
echo $! >/tmp/dockerd.pid
until grep -q 'API listen' /tmp/dockerd.log; do kill -0 $! || exit 1; sleep 0.05; done
EOF
chmod +x /usr/local/bin/docker
cp /opt/bin/true /usr/local/bin/docker.real
mkdir -p /var/lib/docker
`

/** Podman as a service: with settings for a machine that has no systemd, and not the right to raise limits. */
export const INSTALL_PODMAN = `
mkdir -p /usr/bin /usr/sbin /etc/containers /run/podman /var/tmp
cp /opt/bin/podman /opt/bin/conmon /usr/bin/
cp /opt/sbin/runc /usr/sbin/
echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >/etc/containers/policy.json
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' >/etc/containers/storage.conf
cat >/etc/containers/containers.conf <<'EOF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
EOF
`
