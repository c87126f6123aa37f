/** Configuration of networks without keys whose names no rule of the mask can go by: `key` may be anything elsewhere. No I/O. */

/** WireGuard in netplan, MACsec, WEP and WPA of ifupdown, of ifcfg and of NetworkManager. */
const KEYS = [
  /^(\s*(?:-\s*)?["']?(?:key|shared|mka-cak)["']?\s*[=:]\s*["']?)(?:[A-Za-z0-9+/]{43}=|[0-9A-Fa-f]{32,64})(?=["'\s]|$)/gim,
  /^(\s*(?:wpa-psk|wpa-passphrase|wpa-password|wireless-key\d?)[ \t]+)\S.*$/gim,
  /^(\s*KEY\d?=).+$/gm,
]

export const withoutKeys = (text: string): string => KEYS.reduce((left, key) => left.replaceAll(key, '$1***'), text)
