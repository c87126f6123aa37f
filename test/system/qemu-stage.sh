#!/bin/bash
# Runs inside the machine of QEMU, at the end of each boot, and reports on its second serial line; the bundle goes to its
# second disk. The first boot installs diagd, the second starts it as early as any and ends in a power cut, the third tells.
exec >/dev/ttyS1 2>&1
systemctl is-system-running --wait >/dev/ttyS0
boot=$(($(cat /var/lib/boots 2>/dev/null) + 1))
echo $boot >/var/lib/boots
diagd_says() { curl --silent --show-error --fail --unix-socket /run/diagd/diagd.sock "$@"; }
# Until it has recorded an event of that type.
recorded() { until diagd_says "http://localhost/events?boot=0&type=$1" | grep --quiet '"id"'; do sleep 1; done; }
modules() { cut -d ' ' -f 1 /proc/modules | sort; }

second() {
  systemctl start diagd
  echo "restarts=$(systemctl show --value --property=NRestarts diagd)"
  # A process that wants more memory than there is, one that crashes, one that waits for a disk that does not answer.
  systemd-run --quiet --wait --unit=hog --property=MemoryMax=32M --property=MemorySwapMax=0 tail /dev/zero
  python3 -c 'import ctypes; ctypes.string_at(0)'
  truncate --size=16M /var/tmp/frozen
  mke2fs -q -F /var/tmp/frozen
  mount -o loop /var/tmp/frozen /mnt
  fsfreeze --freeze /mnt
  echo 5 >/proc/sys/kernel/hung_task_timeout_secs
  touch /mnt/never &
  for type in kernel.oom-kill unit.oom-killed kernel.segfault kernel.hung-task; do recorded $type; done
  fsfreeze --unfreeze /mnt
  for n in {1..50}; do
    diagd_says --output /dev/null --header "Content-Type: application/json" --data '{"type":"test.noted","subject":"noted-'$n'"}' http://localhost/events || exit
  done
  # The kernel starts again at once: nothing is written that was not before.
  echo b >/proc/sysrq-trigger
}

third() {
  systemctl start diagd
  echo "failed=$(systemctl --failed --no-legend --plain | cut -d ' ' -f 1 | tr '\n' ' ')"
  echo "restarts_after_cut=$(systemctl show --value --property=NRestarts diagd)"
  echo "high=$(cat /sys/fs/cgroup/system.slice/diagd.service/memory.high)"
  echo "max=$(cat /sys/fs/cgroup/system.slice/diagd.service/memory.max)"
  echo '<3>planted in the log of the kernel' >/dev/kmsg
  modules >/run/modules-before
  curl --silent --show-error --fail --max-time 600 -H @/etc/diagd/admin.header -o /root/bundle http://127.0.0.1:7433/debug-package
  modules >/run/modules-after
  echo "loaded=$(comm -13 /run/modules-before /run/modules-after | tr '\n' ' ')"
  echo "known=$(wc -l </run/modules-before)"
  dd if=/root/bundle of=/dev/vdb bs=1M conv=fsync status=none
  echo "bundle=$(stat --format=%s /root/bundle)"
}

# An engine that is started by hand, on control groups of version 2, and a container that is removed when it ends.
engine() {
  chmod 755 /opt/image/bin/busybox
  for name in sh echo sleep; do ln -s busybox /opt/image/bin/$name; done
  # dockerd would wait for a containerd of its own for 15 s only, which is little for an emulated machine.
  containerd >/var/log/containerd.log 2>&1 &
  until [ -S /run/containerd/containerd.sock ]; do kill -0 $! || { cat /var/log/containerd.log; return; }; sleep 1; done
  dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs >/var/log/dockerd.log 2>&1 &
  until grep --quiet 'API listen' /var/log/dockerd.log; do kill -0 $! || { cat /var/log/dockerd.log; return; }; sleep 1; done
  tar -C /opt/image -c . | docker import - busybox
  mkdir /opt/end
  docker run --detach --rm --network none --memory 64m --volume /opt/end:/end --name brief busybox \
    sh -c 'echo ready; while [ ! -e /end/now ]; do sleep 0.1; done; echo last words >&2; exit 3'
  until diagd_says http://localhost/containers | grep --quiet '"name":"brief".*"lines":1,'; do sleep 1; done
  echo >/opt/end/now
  until diagd_says http://localhost/containers | grep --quiet '"name":"brief".*"state":"removed".*"lines":2,'; do sleep 1; done
  diagd_says --max-time 600 -o /root/engine 'http://localhost/debug-package?only=docker,containers'
  dd if=/root/engine of=/dev/vdb bs=1M seek=192 conv=fsync status=none
  echo "engine=$(stat --format=%s /root/engine)"
}

[ $boot = 2 ] && second
[ $boot = 3 ] && third && engine
systemctl poweroff
