/** Every name and flag that a rule of commands knows, and those that only look like one. */
import { describe, expect, it } from 'vitest'
import { createRedactor } from '../../../src/redact/redactor.ts'
import { COMMAND_RULES } from '../../../src/redact/rules/commands.ts'

const redact = createRedactor(COMMAND_RULES, Buffer.alloc(32, 7))

function blanked(text: string): string {
  const bytes = Buffer.from(text)
  const stretch = { bytes, from: 0, to: bytes.length, final: true, carry: { sentTo: 0, pending: [] } }
  return Buffer.from(redact(stretch).bytes)
    .toString()
    .replaceAll(/<masked:[a-z-]+:[0-9a-f]{6}>/g, '§')
}

describe('masked', () => {
  it.each([
    'mysql -uroot -p§ -h db',
    'mysqldump -u root -p§ app',
    'mariadb -uroot -p§',
    '["mysql","-uroot","-p§"]',
    'mysql\0-uroot\0-p§\0',
    'curl -u bot:§ https://example.org/',
    'curl --user bot:§ https://example.org/',
    '["curl","-u","bot:§","https://example.org/"]',
    'sshpass -p § ssh a',
    "sshpass -p '§' ssh a",
    'docker login -u bot -p § r.example.org',
    'redis-cli -h cache -a § ping',
    'openssl rsa -passin pass:§ -in k',
    'htpasswd -cb /etc/x admin §',
    'useradd -m -p § jo',
    'echo "root:§" | chpasswd',
    'echo § | docker login --password-stdin r.example.org',
    '{"chpasswd":{"expire":false,"list":"root:§\\njo:§"}}',
    String.raw`{"log":"{\"chpasswd\":{\"list\":\"root:§\\njo:§\\n\",\"expire\":false}}"}`,
    'chpasswd: {expire: False, list: "root:§\\njo:§"}',
    'chpasswd <<EOF\nroot:§\njo:§\nEOF\n',
    'mysqladmin -uroot -p§ status',
    'mysqlcheck -p§ --all-databases',
    'mysqlimport -u a -p§ app t.txt',
    'mysqlshow -p§',
    'mysql -a -b -c -d -e -f -g -h db -p§ app',
    'mariadb-dump -uroot -p§ app',
    'mariadb-admin -uroot -p§ ping',
    String.raw`{"log":"+ id\nmysql -uroot -p§\n"}`,
    String.raw`{"log":"a\tsshpass -p § ssh b\n"}`,
    'curl -U bot:§ -x proxy.example.org https://example.org/',
    'curl --proxy-user bot:§ https://example.org/',
    'curl --user=bot:§ https://example.org/',
    'podman login -u bot -p § r.example.org',
    'helm registry login -u bot -p § r.example.org',
    'helm login -p § r.example.org',
    'openssl enc -pass pass:§ -in k',
    'openssl genrsa -passout pass:§ -out k',
    'useradd --password § jo',
    'usermod --password=§ jo',
    'usermod -p § jo',
    'echo § | sudo -S apt-get update',
    'echo § | sudo -S -k id',
    'printf "jo:§" | chpasswd',
    'echo -n "jo:§" | sudo chpasswd',
    'echo § | passwd jo --stdin',
    'echo § | podman login --password-stdin r.example.org',
  ])('%j', (text) => expect(blanked(text.replaceAll('§', 'k7Wq9zLp2XvR'))).toBe(text))
})

describe('left', () => {
  it.each([
    'mysql -P 3306 --protocol tcp',
    'mysql -p -u root',
    'mysql -p$PASS',
    'curl -u bot https://example.org/',
    'curl -fsS https://example.org/a:b',
    'docker run -p 8080:80 app',
    'docker login r.example.org',
    'redis-cli ping',
    'openssl rsa -passin file:/k',
    'bypass: on',
    'echo hello | cat',
    'chpasswd:\n  expire: false\n',
    'chpasswd: {expire: False}\nusers: {list: "a:b"}',
    'sshpass -p \\$PASS ssh a',
    'mysql start\\nother -pnothing',
    'root:R',
    'mysql -port 3306 app',
    'mysql -protocol tcp',
    'mysqld -pid-file x -plugin-dir y',
    'mysql -pREDACTED app',
    'amysql -uroot -pk7Wq9zLp2XvR',
    'curl -x bot:k7Wq9zLp2XvR https://example.org/',
    'kubectl login -p k7Wq9zLp2XvR',
    'openssl rsa -pathin pass:k7Wq9zLp2XvR',
    'useradd --prefix k7Wq9zLp2XvR jo',
    'echo hello | run --passwords off',
    'echo hello | sudo tee /etc/motd',
    'echo $PASS | chpasswd',
    'htpasswd -c /etc/x admin',
  ])('%j', (text) => expect(blanked(text)).toBe(text))
})

it('masks logins that are a list', () => {
  const text = '{"chpasswd":{"list":["root:k7Wq9zLp2XvR","jo:k7Wq9zLp2XvR"],"expire":false}}'
  expect(blanked(text)).toBe('{"chpasswd":{"list":["§","§"],"expire":false}}')
})
