#!/bin/sh
# Installs diagd from this tarball on a machine without dpkg, or takes it away again. Run it as root:
#   install.sh [--prefix /usr/local]         installs, or upgrades in place; configuration and state stay
#   install.sh [--prefix …] --uninstall      removes it; configuration (/etc/diagd) and state (/var/lib/diagd) stay
#   install.sh [--prefix …] --uninstall --purge    removes those, too
# Programs go below the prefix, configuration to /etc/diagd. Needs Linux with glibc 2.28 or newer; systemd to run as a service.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# Where this is the installed copy, it is about its own installation.
case $here in
  */lib/diagd) prefix=${here%/lib/diagd} ;;
  *) prefix=/usr/local ;;
esac
uninstall=
purge=

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix) prefix=${2:?--prefix needs a folder} && shift ;;
      --prefix=*) prefix=${1#--prefix=} ;;
      --uninstall) uninstall=yes ;;
      --purge) purge=yes ;;
      -h | --help) usage && exit ;;
      *) fail "there is no option $1; see install.sh --help" ;;
    esac
    shift
  done
  check_wish
  if [ -n "$uninstall" ]; then remove; else install_here; fi
}

usage() { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"; }

say() { echo "diagd: $*"; }

fail() {
  echo "diagd: $*" >&2
  exit 1
}

check_wish() {
  case $prefix in
    /*[!A-Za-z0-9/._-]* | [!/]* | /) fail "--prefix $prefix is not accepted; an absolute path of letters, digits and . _ - / is" ;;
  esac
  prefix=${prefix%/}
  if [ -n "$purge" ] && [ -z "$uninstall" ]; then fail '--purge goes with --uninstall'; fi
  [ "$(id -u)" = 0 ] || fail 'it takes root to install; try: sudo ./install.sh'
  # systemd looks below /usr and /usr/local, and nowhere below another prefix.
  case $prefix in
    /usr) units=/usr/lib ;;
    *) units=/usr/local/lib ;;
  esac
  list=$prefix/lib/diagd/installed-files
}

check_machine() {
  if command -v dpkg-query >/dev/null && dpkg-query -W -f '${Status}' diagd 2>/dev/null | grep -q '^install ok'; then
    fail 'the Debian package is installed here; upgrade that, or remove it first: apt-get remove diagd'
  fi
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); it takes Linux"
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) machine=$(uname -m) ;;
  esac
  [ "$machine" = "$(cat "$here/arch")" ] || fail "this machine is $machine, this tarball is for $(cat "$here/arch")"
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //') || true
  [ -n "$glibc" ] || fail 'there is no glibc here (Alpine has musl); it takes 2.28 or newer'
  at_least 2.28 "$glibc" || fail "glibc here is $glibc; it takes 2.28 or newer"
  at_least 2.34 "$glibc" || say "glibc here is $glibc: the SQLite in here takes 2.34 or newer, what needs a database will be missing"
  # It may want a library that is not there: better now than after half of it.
  "$here/usr/lib/diagd/node" --version >/dev/null || fail 'the Node in here does not run on this machine, see above'
}

at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

install_here() {
  check_machine
  first=first
  if [ -e /etc/diagd/config.yaml ]; then first=; fi
  old=
  if [ -e "$list" ]; then old=$(cat "$list"); fi

  # A new file takes the place of the old one in one step; what runs keeps the old one.
  (cd "$here" && find usr -type f) | sort | while read -r file; do place "$file"; done
  (cd "$here" && find usr -type f) | sort | while read -r file; do target "$file"; done >"$list.new"
  echo "$old" | while read -r file; do
    if [ -n "$file" ] && ! grep -qxF "$file" "$list.new"; then rm -f "$file"; fi
  done
  mv "$list.new" "$list"
  install -m 0755 "$here/install.sh" "$prefix/lib/diagd/install.sh"

  mkdir -p /etc/diagd
  if [ ! -e /etc/diagd/config.yaml ]; then install -m 0640 "$here/etc/diagd/config.yaml" /etc/diagd/config.yaml; fi
  if command -v restorecon >/dev/null; then
    restorecon -RF "$prefix/lib/diagd" "$prefix/bin/diagd" "$units/systemd/system" /etc/diagd || true
  fi
  "$prefix/lib/diagd/setup" "$units" $first
  say "$("$prefix/bin/diagd" --version) is in $prefix/lib/diagd, the command is $prefix/bin/diagd"
  start
}

# usr/lib/systemd/… → /usr/local/lib/systemd/…, usr/bin/… → PREFIX/bin/…
target() {
  case $1 in
    usr/lib/systemd/* | usr/lib/sysusers.d/* | usr/lib/tmpfiles.d/*) echo "$units/${1#usr/lib/}" ;;
    *) echo "$prefix/${1#usr/}" ;;
  esac
}

place() {
  to=$(target "$1")
  mkdir -p "$(dirname "$to")"
  case $1 in
    usr/bin/* | usr/lib/systemd/* | usr/lib/diagd/setup)
      sed "s#/usr/lib/diagd#$prefix/lib/diagd#g; s#/usr/bin/diagd#$prefix/bin/diagd#g; s#/usr/share/#$prefix/share/#g" \
        "$here/$1" >"$to.new"
      chmod --reference="$here/$1" "$to.new"
      ;;
    *) cp -p "$here/$1" "$to.new" ;;
  esac
  chown root:root "$to.new"
  mv -f "$to.new" "$to"
}

start() {
  if [ ! -d /run/systemd/system ]; then
    say "systemd does not run here; start it by: $prefix/bin/diagd serve"
    return
  fi
  systemctl daemon-reload
  if [ -z "$old" ]; then systemctl enable diagd.service; fi
  start_shutdown_unit
  # A service that somebody disabled or masked stays as it is.
  if ! systemctl is-enabled --quiet diagd.service; then
    say 'the service is not enabled; it was not started'
  elif systemctl restart diagd.service; then
    say 'the service runs; a bundle: curl -fOJ --unix-socket /run/diagd/diagd.sock http://localhost/debug-package'
  else
    fail 'the service did not start, see: systemctl status diagd'
  fi
}

# It does something when the machine goes down. Without waiting: it comes after the network and docker.
start_shutdown_unit() {
  unit=diagd-upload-shutdown.service
  case $old in
    *"/$unit"*) ;;
    *) systemctl enable "$unit" ;;
  esac
  if systemctl is-enabled --quiet "$unit"; then systemctl --no-block start "$unit" || true; fi
}

remove() {
  [ -e "$list" ] || fail "nothing of this script is in $prefix; --prefix names another place"
  if [ -d /run/systemd/system ]; then systemctl disable --now diagd-upload-shutdown.service diagd.service || true; fi
  while read -r file; do rm -f "$file"; done <"$list"
  rm -f "$list" "$prefix/lib/diagd/install.sh"
  for folder in lib/diagd share/doc/diagd share/diagd; do
    if [ -d "$prefix/$folder" ]; then find "$prefix/$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
  case $prefix in
    /usr | /usr/local) ;;
    *) rmdir "$prefix/bin" "$prefix/lib" "$prefix/share/doc" "$prefix/share" "$prefix" 2>/dev/null || true ;;
  esac
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  if [ -n "$purge" ]; then
    rm -rf /etc/diagd /var/lib/diagd /run/diagd
    say 'removed, with configuration and state; the user diagd stays, so that nobody else gets its number'
  else
    say 'removed; /etc/diagd and /var/lib/diagd stay (--purge takes them)'
  fi
}

main "$@"
