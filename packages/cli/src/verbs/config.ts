import { ConfigError, configDefaults, configEnvironment, describeConfig } from '@fanfold/node'
import { configOptions, readConfig } from '../config-options.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import type { Verb, VerbInput } from '../verb.ts'

const checkVerb: Verb = {
  name: 'check',
  meaning:
    'Checks a configuration, and shows every option with its value and where that was said; secrets are not shown. Ends with 4 and all the problems when there are some.',
  options: configOptions,
  examples: ['config check', 'config check -c fanfold.yaml --json'],
  run: check,
}

const defaultsVerb: Verb = {
  name: 'defaults',
  meaning: 'Prints a configuration file with every option, its meaning, its range and its default.',
  examples: ['config defaults > fanfold.yaml'],
  async run({ terminal }) {
    await terminal.out.write(configDefaults())
    return exitCodes.ok
  },
}

const environmentVerb: Verb = {
  name: 'env',
  meaning: 'Prints every environment variable of a node with its meaning.',
  examples: ['config env | grep TOKEN'],
  async run({ terminal }) {
    await terminal.out.write(configEnvironment())
    return exitCodes.ok
  },
}

/** `fanfold config`. */
export const configVerb: Verb = {
  name: 'config',
  meaning: 'Checks and explains the configuration of a node.',
  examples: ['config check -c fanfold.yaml', 'config defaults > fanfold.yaml', 'config env'],
  verbs: [checkVerb, defaultsVerb, environmentVerb],
}

async function check(input: VerbInput): Promise<ExitCode> {
  const { output, terminal } = input
  try {
    const rows = describeConfig(await readConfig(input))
    if (output.isQuiet && !output.isJson) return exitCodes.ok
    await output.result(rows, () =>
      alignColumns(rows.map(({ name, value, source }) => [name, value, source])),
    )
    return exitCodes.ok
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { code, message, problems } = error
    const text = output.isJson
      ? JSON.stringify({ error: { code, problems } })
      : `fanfold config check: ${message} [${code}]`
    await terminal.err.write(`${text}\n`)
    return exitCodes['check-failed']
  }
}
