import t from 'tap'
import { exitCodes } from '../src/exit-code.ts'
import { runProgram, verbs } from '../src/run-program.ts'
import type { Verb } from '../src/verb.ts'
import { FakeTerminal } from './fake-terminal.ts'

async function run(...args: string[]) {
  const terminal = new FakeTerminal()
  const code = await runProgram(args, terminal)
  return { code, stdout: terminal.stdout, stderr: terminal.stderr }
}

/** Every verb with the words that call it. */
const calls = (level: readonly Verb[], path: readonly string[] = []): [string[], Verb][] =>
  level.flatMap(verb => {
    const words = [...path, verb.name]
    return [[words, verb] as [string[], Verb], ...calls(verb.verbs ?? [], words)]
  })

await t.test('every verb has help that ends with its examples', async t => {
  for (const [words, verb] of calls(verbs)) {
    const { code, stdout, stderr } = await run(...words, '--help')
    t.equal(code, exitCodes.ok, words.join(' '))
    t.equal(stderr, '')
    t.match(stdout, `Usage: fanfold ${words.join(' ')}`)
    const examples = verb.examples.map(example => `  $ fanfold ${example}\n`).join('')
    t.ok(stdout.endsWith(`\nExamples:\n${examples}`), stdout.slice(-200))
    t.ok(verb.examples.every(example => example.startsWith(words[0] ?? '') || / \| /.test(example)))
  }
})

await t.test('every verb that does something takes --json and --quiet', async t => {
  for (const [words, verb] of calls(verbs)) {
    if (verb.run === undefined) continue
    const { stdout } = await run(...words, '--help')
    t.match(stdout, /^ {2}--json /m)
    t.match(stdout, /^ {2}--quiet /m)
  }
})

await t.test('the help of the program names every verb and the exit codes', async t => {
  const { code, stdout } = await run('--help')
  t.equal(code, exitCodes.ok)
  for (const { name } of verbs) t.match(stdout, new RegExp(`^ {2}${name} `, 'm'))
  t.match(stdout, 'Exit codes: 0 ok, 1 failed, 2 usage, 3 unreachable, 4 check failed.')
})

await t.test('a wrong command line is one line with a code, and ends with 2', async t => {
  const wrong: [string[], string | RegExp][] = [
    [[], 'fanfold: a verb is needed; see fanfold --help [FANFOLD_USAGE]\n'],
    [['config'], 'fanfold config: a verb is needed; see fanfold config --help [FANFOLD_USAGE]\n'],
    [
      ['tokn'],
      "fanfold: unknown command 'tokn' (Did you mean token?); see fanfold --help [FANFOLD_USAGE]\n",
    ],
    [
      ['get'],
      "fanfold get: missing required argument 'doc'; see fanfold get --help [FANFOLD_USAGE]\n",
    ],
    [
      ['get', 'a/b/c', '--prety'],
      "fanfold get: unknown option '--prety' (Did you mean --pretty?); see fanfold get --help [FANFOLD_USAGE]\n",
    ],
    [
      ['get', 'a/b/c', '--timeout', 'soon'],
      'fanfold get: --timeout is a duration such as 500ms, 30s, 1h or 90d, from 1 to 86400000 ms, got soon; see fanfold get --help [FANFOLD_USAGE]\n',
    ],
    [
      ['tail', 'a/b/c', '--from', '12'],
      'fanfold tail: --from is EPOCH:SEQ, as 3:120, got 12; see fanfold tail --help [FANFOLD_USAGE]\n',
    ],
    [
      ['send', 'a/b/c', 'goal', '{'],
      /^fanfold send: the value must be JSON: .*; see fanfold send --help \[FANFOLD_USAGE\]\n$/,
    ],
    [
      ['feed', 'x.ndjson', '--doc', 'a/b/c', '--speed', '0'],
      'fanfold feed: --speed is a number over 0, or max, got 0; see fanfold feed --help [FANFOLD_USAGE]\n',
    ],
    [
      ['dev', 'x', '--edges', '0'],
      'fanfold dev: --edges is a whole number from 1 to 64, got "0"; see fanfold dev --help [FANFOLD_USAGE]\n',
    ],
  ]
  for (const [args, text] of wrong) {
    const { code, stdout, stderr } = await run(...args)
    t.equal(code, exitCodes.usage, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, text)
    t.equal(stderr.split('\n').length, 2, 'one line')
  }
})

await t.test('with --json an error is JSON', async t => {
  const { code, stderr } = await run('get', 'a/b/c', '--json', '--nope')
  t.equal(code, exitCodes.usage)
  t.match(JSON.parse(stderr), { error: { code: 'FANFOLD_USAGE', message: /unknown option/ } })
})

await t.test('a stack is shown only to those who ask for it', async t => {
  const shown = new FakeTerminal({ environment: { FANFOLD_DEBUG: '1' } })
  t.equal(await runProgram(['get', 'zz', '--timeout', '1s'], shown), exitCodes.usage)
  t.match(shown.stderr, /\n {4}at /)
  const hidden = new FakeTerminal()
  t.equal(await runProgram(['get', 'zz', '--timeout', '1s'], hidden), exitCodes.usage)
  t.equal(
    hidden.stderr,
    'fanfold get: a document key is <tenant>/<type>/<id>, got "zz" [FANFOLD_BAD_KEY]\n',
  )
})

await t.test('the version is told', async t => {
  const { code, stdout } = await run('--version')
  t.equal(code, exitCodes.ok)
  t.match(stdout, /^\d+\.\d+\.\d+\n$/)
})
