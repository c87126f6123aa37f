#!/bin/bash
# Runs inside the machine of QEMU and reports on its second serial line; the bundle goes to its second disk.
exec >/dev/ttyS1 2>&1
systemctl is-system-running --wait >/dev/ttyS0
# The first boot installs, the second starts it as early as any.
if [ ! -e /var/lib/installed ]; then
  touch /var/lib/installed
  systemctl poweroff
  exit
fi
systemctl start diagd
echo "failed=$(systemctl --failed --no-legend --plain | cut -d ' ' -f 1 | tr '\n' ' ')"
echo "restarts=$(systemctl show --value --property=NRestarts diagd)"
echo "high=$(cat /sys/fs/cgroup/system.slice/diagd.service/memory.high)"
echo "max=$(cat /sys/fs/cgroup/system.slice/diagd.service/memory.max)"
echo '<3>planted in the log of the kernel' >/dev/kmsg
modules() { cut -d ' ' -f 1 /proc/modules | sort; }
modules >/run/modules-before
curl --silent --show-error --fail --max-time 600 -H @/etc/diagd/admin.header -o /root/bundle http://127.0.0.1:7433/debug-package
modules >/run/modules-after
echo "loaded=$(comm -13 /run/modules-before /run/modules-after | tr '\n' ' ')"
echo "known=$(wc -l </run/modules-before)"
dd if=/root/bundle of=/dev/vdb bs=1M conv=fsync status=none
echo "bundle=$(stat --format=%s /root/bundle)"
systemctl poweroff
