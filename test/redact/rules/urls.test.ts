/** Secrets in URLs. */
import { random } from '../mask-all.ts'
import { table } from './table.ts'

const r = random
const K = '<masked:url-credentials:#>'
const W = '<masked:webhook-url:#>'

table('credentials', {
  masked: [
    ['dial postgres://app:s3cret@db:5432/app?x=1 failed', `dial postgres://app:${K}@db:5432/app?x=1 failed`],
    ['redis://:s3cret@cache', `redis://:${K}@cache`],
    ['amqp://u:p@ss@host:5672/', `amqp://u:${K}@host:5672/`],
    ['mysql://u:pa/ss@db.internal/x', `mysql://u:${K}@db.internal/x`],
    ['mysql://u:pa#s?s@db:3306/x', `mysql://u:${K}@db:3306/x`],
    ['mongodb://u:p4@h1:27017,h2:27017/d?a=b@c.d', `mongodb://u:${K}@h1:27017,h2:27017/d?a=b@c.d`],
    [`https://${'a1'.repeat(20)}@github.com/a/b`, `https://${K}@github.com/a/b`],
    [`https://oauth2:${r(20)}x@gitlab.example/a.git`, `https://oauth2:${K}@gitlab.example/a.git`],
    [String.raw`{"u":"https:\/\/me:s3cret@host\/p"}`, String.raw`{"u":"https:\/\/me:${K}@host\/p"}`],
    [String.raw`{\"u\":\"ftp://me:s3cret@host/p\"}`, String.raw`{\"u\":\"ftp://me:${K}@host/p\"}`],
    ['postgres://app:p"a<ss@db/ x', `postgres://app:${K}@db/ x`],
    [`postgres://app:p'a>s\`s@db.internal:5432/x`, `postgres://app:${K}@db.internal:5432/x`],
    ['"postgres://app:p\'a<ss@db/x" y', `"postgres://app:${K}@db/x" y`],
    [
      String.raw`{"u":"postgres://app:p\"a<ss@db/","b":"me@example.com"}`,
      `{"u":"postgres://app:${K}@db/","b":"me@example.com"}`,
    ],
    [String.raw`{"Env":["U=postgres://app:p\"a<ss@db/x","B=1"]}`, `{"Env":["U=postgres://app:${K}@db/x","B=1"]}`],
    ['<u>jdbc:redis://:k<x9@cache</u>', `<u>jdbc:redis://:${K}@cache</u>`],
    ['postgres://app:p@"a@db/', `postgres://app:${K}@db/`],
    ['to=https%3A%2F%2Fme%3As3cr3t%40host%2F', 'to=https%3A%2F%2Fme%3A<masked:url-credentials-escaped:#>%40host%2F'],
  ],
  untouched: [
    '<a href="http://host:8080">me@example.com</a> <a href="http://host:web">me@example.com</a>',
    '<b>redis://cache:main</b>me@example.com <redis://cache:main>me@example.com redis://cache:main<br>me@example.com',
    '{"url":"redis://cache:main","mail":"me@example.com"} ["redis://cache:main","me@example.com"]',
    String.raw`{"m":"{\"url\":\"redis://cache:main\",\"mail\":\"me@example.com\"}"} "a://b:c"me@example.com`,
    `url='redis://cache:main' me@example.com "http://u:"+pw+"@example.com" 'http://u:'.$pw.'@example.com'`,
    'http://host:8080"me@example.com"',
    `http://u:"$PW"@example.com postgres://app:<your-password>@db/ postgres://app:'\${PW}'@db/`,
    'http://host:8080/path/@scope/package ssh://git@github.com/a/b',
    'https://user:$PASSWORD@host/ https://user:${PASSWORD}@host https://user:***@host https://user:xxxxx@host',
    'http://<user>:<password>@host/',
    'https://registry.npmjs.org/@types/node http://10.0.0.1:80 http://[::1]:8080/a@b',
    'GET http://host:8080/?mail=me@example.com 200; unix:///run/diagd.sock; file:///etc/x:y@z',
    'https://first.last.of-many-words@example.com/ jdbc:mysql://db:3306/app',
  ],
})

table('webhooks', {
  masked: [
    [`https://hooks.slack.com/services/T01234567/B0123456789/${r(24)} x`, `https://hooks.slack.com/services/${W} x`],
    [`https://hooks.slack.com/triggers/E01/1234567890/${r(32, 'hex')}`, `https://hooks.slack.com/triggers/${W}`],
    [
      `https://discord.com/api/webhooks/123456789012345678/${r(68)}`,
      `https://discord.com/api/webhooks/123456789012345678/${W}`,
    ],
    [
      `https://discordapp.com/api/v10/webhooks/123456789012/${r(68)}`,
      `https://discordapp.com/api/v10/webhooks/123456789012/${W}`,
    ],
    [
      `https://acme.webhook.office.com/webhookb2/${r(36)}@${r(36)}/IncomingWebhook/x`,
      `https://acme.webhook.office.com/webhookb2/${W}`,
    ],
    [
      `to=https%3A%2F%2Fhooks.slack.com%2Fservices%2FT01234567%2FB0123456789%2F${r(24)}%3Fa=1&b=c`,
      `to=https%3A%2F%2Fhooks.slack.com%2Fservices%2F${W}%3Fa=1&b=c`,
    ],
    [
      `https%3A%2F%2Fdiscord.com%2Fapi%2Fwebhooks%2F123456789012345678%2F${r(68)} x`,
      `https%3A%2F%2Fdiscord.com%2Fapi%2Fwebhooks%2F123456789012345678%2F${W} x`,
    ],
    [
      `https%253a%252f%252facme.webhook.office.com%252fwebhookb2%252f${r(36)}%2540${r(36)}%252fIncomingWebhook%252fx%26y`,
      `https%253a%252f%252facme.webhook.office.com%252fwebhookb2%252f${W}%26y`,
    ],
    [
      `https%3A%2F%2Fapi.telegram.org%2Fbot1234567890%3A${r(35)}%2FsendMessage`,
      `https%3A%2F%2Fapi.telegram.org%2Fbot1234567890%3A${W}%2FsendMessage`,
    ],
    [`https://hooks.zapier.com/hooks/catch/123456/abc123x/`, `https://hooks.zapier.com/hooks/catch/${W}`],
  ],
  untouched: [
    'https://hooks.slack.com/services/ and https://hooks.slack.com/docs/about-our-webhooks',
    'https%3A%2F%2Fhooks.slack.com%2Fdocs%2Fabout-our-webhooks https%3A%2F%2Fdiscord.com%2Fapi%2Fwebhooks%2F',
    'https://discord.com/api/v10/gateway https://discord.com/api/webhooks/',
    'https://api.telegram.org/ is down; https://outlook.office.com/mail/inbox',
  ],
})

table('queries', {
  masked: [
    [
      `/k?X-Amz-Date=2026&X-Amz-Signature=${r(64, 'hex')} 200`,
      '/k?X-Amz-Date=2026&X-Amz-Signature=<masked:signed-url:#> 200',
    ],
    [`?sv=2024&amp;sig=${r(43)}%3D&amp;se=1`, '?sv=2024&amp;sig=<masked:signed-url:#>&amp;se=1'],
    [String.raw`"/a?b=c\u0026Signature=` + `${r(30)}"`, String.raw`"/a?b=c\u0026Signature=<masked:signed-url:#>"`],
    [`/ws?token=1a${r(20)}&x=y`, '/ws?token=<masked:url-token:#>&x=y'],
    [`/o?next=%2F%26access_token%3D1a${r(20)}`, '/o?next=%2F%26access_token%3D<masked:url-token:#>'],
  ],
  untouched: [
    '/list?key=name&token=15&auth=none&sig=1',
    '/list?key=$KEY&token=${TOKEN_OF_DAY_1}',
    '/search?q=token&sort=key&order=asc&signature=none',
    '/v1?keys=abcdef0123456789abcdef&keyword=abcdef0123456789',
  ],
})

const D = '<masked:dsn-password:#>'

table('data source names of Go', {
  masked: [
    ['dial app:s3cret@tcp(db:3306)/app?x=1 failed', `dial app:${D}@tcp(db:3306)/app?x=1 failed`],
    ['DSN=root:p@ss:w/rd@unix(/run/mysqld.sock)/x', `DSN=root:${D}@unix(/run/mysqld.sock)/x`],
    ['{"dsn":"a.b:x9<k@tcp6([::1]:3306)/x","b":"c@tcp(d)"}', `{"dsn":"a.b:${D}@tcp6([::1]:3306)/x","b":"c@tcp(d)"}`],
    ['a:s3cret@tcp(h:1)/d,b:s3cret@tcp(h:2)/d', `a:${D}@tcp(h:1)/d,b:${D}@tcp(h:2)/d`],
    ['mysql://app:s3cret@unix(/run/x)/d', `mysql://app:${K}@unix(/run/x)/d`],
    ['"DB_SOURCE=app:s3cret@tcp(db)/a"', `"DB_SOURCE=app:${D}@tcp(db)/a"`],
  ],
  untouched: [
    'app@tcp(db:3306)/app app:$PW@tcp(db)/ app:${PW}@tcp(db)/ app:%s@tcp(%s)/%s app:***@tcp(db)/',
    '"user:"+pw+"@tcp(db)/" listen@tcp(80) a: b@tcp(c)',
  ],
})

table('parameters under the name of a secret', {
  masked: [
    ['GET /a?token=aB3dE5fG7h#fragment x', 'GET /a?token=<masked:token:#>#fragment x'],
    ['GET /a?password=abc9&flag x', 'GET /a?password=<masked:password:#>&flag x'],
    ['POST user=a&password=a%26b9&x=1', 'POST user=a&password=<masked:password:#>&x=1'],
    ['/a?x=1&amp;api_key=aB3dE5fG7&amp;y=2', '/a?x=1&amp;api_key=<masked:api-key:#>&amp;y=2'],
    ['/o?next=%2F%26password%3DaB3dE5fG7%26other%3D1', '/o?next=%2F%26password%3D<masked:password:#>%26other%3D1'],
    ['run password=aB3#dE5%26f x', 'run password=<masked:password:#> x'],
  ],
  untouched: [],
})
