/*
 * The command line as a whole: from arguments to an exit code. Commander parses and prints help; what
 * a verb is and does is in its own file.
 */
import { version } from '@fanfold/node'
import { Argument, Command, CommanderError, Option } from 'commander'
import { usageError } from './command-error.ts'
import { describeError } from './describe-error.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import { Options } from './options.ts'
import { Output } from './output.ts'
import type { Terminal } from './terminal.ts'
import type { Verb, VerbOption } from './verb.ts'
import { benchVerb } from './verbs/bench.ts'
import { buildVerb } from './verbs/build.ts'
import { configVerb } from './verbs/config.ts'
import { createVerb } from './verbs/create.ts'
import { deleteVerb } from './verbs/delete.ts'
import { devVerb } from './verbs/dev.ts'
import { doctorVerb } from './verbs/doctor.ts'
import { drainVerb } from './verbs/drain.ts'
import { feedVerb } from './verbs/feed.ts'
import { getVerb } from './verbs/get.ts'
import { placeVerb } from './verbs/place.ts'
import { sendVerb } from './verbs/send.ts'
import { serveVerb } from './verbs/serve.ts'
import { statusVerb } from './verbs/status.ts'
import { tailVerb } from './verbs/tail.ts'
import { tokenVerb } from './verbs/token.ts'
import { treeVerb } from './verbs/tree.ts'

/** Every verb, in the order of the help. */
export const verbs: readonly Verb[] = [
  devVerb,
  serveVerb,
  buildVerb,
  getVerb,
  tailVerb,
  sendVerb,
  createVerb,
  deleteVerb,
  feedVerb,
  benchVerb,
  tokenVerb,
  configVerb,
  doctorVerb,
  statusVerb,
  treeVerb,
  drainVerb,
  placeVerb,
]

const everyVerbOptions: readonly VerbOption[] = [
  { flags: '--json', meaning: 'Results as JSON, a line each.' },
  { flags: '--quiet', meaning: 'Nothing but results and errors.' },
]

/** What the parser found to do. */
type Call = () => Promise<ExitCode>

/**
 * Runs one command line.
 *
 * @param args without the names of Node and of the script
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const call = await parse(args, terminal)
    return call === undefined ? exitCodes.ok : await call()
  } catch (error) {
    return await report(error, { path: pathOf(args), isJson: args.includes('--json'), terminal })
  }
}

/** The verbs that the arguments begin with, which an error names. */
function pathOf(args: readonly string[]): string {
  const path = ['fanfold']
  let level: readonly Verb[] | undefined = verbs
  for (const argument of args) {
    const verb: Verb | undefined = level?.find(({ name }) => name === argument)
    if (verb === undefined) break
    path.push(verb.name)
    level = verb.verbs
  }
  return path.join(' ')
}

async function report(
  error: unknown,
  {
    path,
    isJson,
    terminal,
  }: { readonly path: string; readonly isJson: boolean; readonly terminal: Terminal },
): Promise<ExitCode> {
  const { code, message, exitCode } = describeError(error)
  const hint = code === 'FANFOLD_USAGE' ? `; see ${path} --help` : ''
  const text = isJson
    ? JSON.stringify({ error: { code, message: message + hint } })
    : `${path}: ${message}${hint} [${code}]`
  await terminal.err.write(`${text}\n`)
  if (terminal.environment['FANFOLD_DEBUG'] === '1' && error instanceof Error) {
    await terminal.err.write(`${error.stack}\n`)
  }
  return exitCode
}

/** The call that the arguments are for; undefined when the help was all that was wanted. */
async function parse(args: readonly string[], terminal: Terminal): Promise<Call | undefined> {
  const calls: Call[] = []
  let help = ''
  const settle = (command: Command): Command =>
    command
      .exitOverride()
      .configureOutput({
        writeOut: text => {
          help += text
        },
        writeErr: () => undefined,
        outputError: () => undefined,
        getOutHelpWidth: () => helpColumns,
      })
      .helpOption('-h, --help', 'Shows this text.')
      .helpCommand(false)
      // An option belongs to the verb that it follows: a verb and the one above it may both have it.
      .enablePositionalOptions()
  const program = settle(new Command('fanfold'))
    .description('Live documents with a planet of viewers.')
    .version(version, '-V, --version', 'Shows the version.')
    .addHelpText('after', `\n${programHelp}`)
  for (const verb of verbs) program.addCommand(makeCommand(verb, { settle, terminal, calls }))
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (help === '') throw usageError(usageMessage(error))
    await terminal.out.write(help)
  }
  return calls[0]
}

/** Help has the same text in a terminal, a file and a test. */
const helpColumns = 100

const programHelp = `Exit codes: 0 ok, 1 failed, 2 usage, 3 unreachable, 4 check failed.

Examples:
  $ fanfold dev examples/grand-prix
  $ fanfold tail demo/grand-prix/corvane --as $TOKEN
  $ fanfold token --user ada --documents 'acme/**' --allow observe --key token.key`

function makeCommand(
  verb: Verb,
  context: {
    readonly settle: (command: Command) => Command
    readonly terminal: Terminal
    /** Where the call goes that the arguments turn out to be. */
    readonly calls: Call[]
  },
): Command {
  const { settle, terminal, calls } = context
  const command = settle(new Command(verb.name))
    .description(verb.meaning)
    .summary(/^[^.;]*/.exec(verb.meaning)?.[0] ?? '')
  for (const { syntax, meaning } of verb.arguments ?? []) {
    command.addArgument(new Argument(syntax, meaning))
  }
  const { run } = verb
  if (run !== undefined) {
    for (const option of [...(verb.options ?? []), ...everyVerbOptions]) {
      command.addOption(makeOption(option))
    }
    command.action(() => {
      const values = command.opts<Record<string, unknown>>()
      const output = new Output(terminal, {
        json: values['json'] === true,
        quiet: values['quiet'] === true,
      })
      const input = { arguments: command.args, options: new Options(values), output, terminal }
      calls.push(() => run(input))
    })
  }
  const examples = verb.examples.map(example => `  $ fanfold ${example}`).join('\n')
  command.addHelpText('after', `\nExamples:\n${examples}`)
  for (const inner of verb.verbs ?? []) command.addCommand(makeCommand(inner, context))
  return command
}

function makeOption({ flags, meaning, default: standard, isRepeatable }: VerbOption): Option {
  const option = new Option(flags, meaning)
  if (standard !== undefined) option.default(standard)
  if (isRepeatable === true) {
    option.argParser<unknown>((text, before) => [...(Array.isArray(before) ? before : []), text])
  }
  return option
}

/** What commander says, without its prefix; to no verb at all it says nothing. */
const usageMessage = (error: CommanderError): string =>
  error.code === 'commander.help' ? 'a verb is needed' : error.message.replace(/^error: /, '')
