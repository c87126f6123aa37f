/**
 * The command `diagd`: the only reader of arguments and environment, the only caller of process.exit. Node's version
 * comes before everything else, so nothing that an older one could not load is imported before it is known.
 */
const NEEDED_MAJOR = 24

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(
    `diagd needs Node ${NEEDED_MAJOR} or newer, this is ${process.versions.node}. ` +
      'In a checkout, run it with the Node it brings along: npm run -s diagd -- …\n',
  )
  process.exit(2)
}

// Before anything reads the time: one zone in everything that is written.
process.env.TZ = 'UTC'
// Before SQLite is loaded: a database that nobody has open is named to it by a URL (sources/sqlite-at-rest.ts).
process.env.SQLITE_USE_URI = '1'
const { main } = await import('./cli/main.ts')
const code = await main({
  argv: process.argv.slice(2),
  environment: process.env,
  uid: process.geteuid?.() ?? 0,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
process.exit(code)
