/** Values of one character, and names of secrets of networks. */
import { describe, expect, it } from 'vitest'
import { maskAll, shapeOf } from './mask-all.ts'

const P = '<masked:password:#>'

describe('a password of one character', () => {
  it.each([
    ['password: x', `password: ${P}`],
    ['  password: a', `  password: ${P}`],
    ['password=x', `password=${P}`],
    ['password: 7', `password: ${P}`],
    ['{"password":"x"}', `{"password":"${P}"}`],
    ['run --password x --verbose', `run --password ${P} --verbose`],
  ])('masks %j', (text, masked) => expect(shapeOf(maskAll(text))).toBe(masked))

  it.each(['password: *', 'password: ~', 'password: -', 'password: xx', 'token: x', 'the password: a', 'pass=3'])(
    'leaves %j',
    (text) => expect(maskAll(text)).toBe(text),
  )
})

describe('NetworkManager', () => {
  it.each([
    '[wifi-security]\nkey-mgmt=wpa-psk\npsk-flags=0\npsk=§\n',
    '[wifi-security]\nwep-key0=§\nwep-key-type=1\nwep-tx-keyidx=0\nleap-username=a\nleap-password=§\n',
    '[802-1x]\nidentity=a\npassword=§\npassword-raw=§\nphase2-private-key-password=§\nclient-cert-password=§\n',
    '[macsec]\nmka-cak=§\nmka-ckn=1234\n',
    '[wireguard]\nprivate-key=§\n[wireguard-peer.x]\npreshared-key=§\npersistent-keepalive=25\n',
    '[vpn-secrets]\npassword=§\nIPSec secret=§\nXauth password=§\ncert-pass=§\n',
    'nmcli: gsm.pin: § 802-1x.pin: §\n',
    '[gsm]\napn=internet\npin=§\nsim-id=1\n',
    '  - content: |\n      [gsm]\n      apn=internet\n      pin=§\n',
    '[802-1x]\neap=tls;\npin=§\npin-flags=0\n',
    'network={\n\tssid="a"\n\teap=SIM\n\tpin="§"\n}\n',
    '  modems:\n    cdc-wdm0:\n      apn: internet\n      pin: §\n',
    '  modems:\n    cdc-wdm0:\n      pin: "§"\n',
    '$ mmcli -i 0 --pin=§ --verbose\n',
  ])('%j', (text) => {
    const secret = `${1000 + Math.floor(Math.random() * 9000)}4711`
    expect(maskAll(text.replaceAll('§', secret)).replaceAll(/<masked:[a-z0-9-]+:[0-9a-f]{6}>/g, '§')).toBe(text)
  })

  it.each([
    'pinctrl core: initialized pinctrl subsystem; pin=12 gpio=3\n',
    'ACPI: PCI: Interrupt link LNKA configured for IRQ 0, pin=1\n',
    '[gsm]\napn=internet\n\n[gpio]\npin=1234\n',
    'pin=1234\n[gsm]\n',
    '[gsm]\npin=\npin-flags=1\n',
    '  gpio:\n    pin: 12\n',
    'network: up, pin="1"\n',
    'audit: op=PIN pin=12 mapping=3 ping=5 spin=1\n',
  ])('leaves %j', (text) => expect(maskAll(text)).toBe(text))
})
