/** Hashes of passwords. */
import { random } from '../mask-all.ts'
import { table } from './table.ts'

const r = random

table('hashes', {
  masked: [
    [`root:$6$${r(16)}$${r(86)}:19000:0:99999:7:::`, 'root:<masked:password-hash:#>:19000:0:99999:7:::'],
    [`$6$rounds=656000$${r(16)}$${r(86)}`, '<masked:password-hash:#>'],
    [`- $5$${r(8)}$${r(43)}\n`, '- <masked:password-hash:#>\n'],
    [`a $1$${r(8)}$${r(22)} b`, 'a <masked:password-hash:#> b'],
    [`a $y$j9T$${r(22)}$${r(43)} b`, 'a <masked:password-hash:#> b'],
    [`a $gy$j9T$${r(22)}$${r(43)} b`, 'a <masked:password-hash:#> b'],
    [`admin:$apr1$${r(8)}$${r(22)}`, 'admin:<masked:password-hash:#>'],
    [`admin:$2y$05$${r(53)}`, 'admin:<masked:password-hash:#>'],
    [`admin:$$2y$$05$$${r(53)}`, 'admin:<masked:password-hash:#>'],
    [`useradd -p \\$6\\$${r(8)}\\$${r(86)} x`, 'useradd -p <masked:useradd-password:#> x'],
    // In a string of JSON the backslash before a backslash stays.
    [`{"m":"set \\\\$6\\\\$${r(8)}\\\\$${r(86)}"}`, '{"m":"set \\\\<masked:password-hash:#>"}'],
    [`h $argon2id$v=19$m=65536,t=3,p=4$${r(22)}$${r(43)} i`, 'h <masked:password-hash:#> i'],
    [`userPassword: {SSHA}${r(32, 'base64')}`, 'userPassword: <masked:ldap-hash:#>'],
    [`rol SCRAM-SHA-256$4096:${r(22)}==$${r(43)}=:${r(43)}= x`, 'rol <masked:database-hash:#> x'],
    [`auth pbkdf2_sha256$600000$${r(22)}$${r(43)}= x`, 'auth <masked:database-hash:#> x'],
  ],
  untouched: [
    'awk {print $1$2} and $6$x$y; cost: $5$ or $1$',
    'mechanism SCRAM-SHA-256 offered; SCRAM-SHA-256-PLUS',
    '$argon2id$ is what we use, $2b$12$ the prefix of bcrypt',
    'root:*:19000:0:99999:7::: daemon:!:19000 user:!!:19000',
    '{SSHA} and {SHA} are schemes; {MD5}short',
  ],
})
