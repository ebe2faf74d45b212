/*
 * Loaded into a process (`--import`) that must not parse: from SIGUSR2 on, one JSON.parse ends it.
 */
const poisonedExitCode = 97

process.once('SIGUSR2', () => {
  JSON.parse = text => {
    const start = JSON.stringify(String(text).slice(0, 80))
    process.stderr.write(`${new Error(`parsed ${start}`).stack}\n`)
    process.exit(poisonedExitCode)
  }
  process.stdout.write('{"event":"json-parse-poisoned"}\n')
})
