/* The options of a node on the command line: every one of the configuration, and its file. */
import { configFlags, type LoadedConfig, loadConfig } from '@fanfold/node'
import { commandVariables } from './open-connection.ts'
import type { VerbInput, VerbOption } from './verb.ts'

/** `-c` and every flag of a node; definitions are arguments. */
export const configOptions: readonly VerbOption[] = [
  {
    flags: '-c, --config <file>',
    meaning:
      'The configuration file; fanfold.yaml, .json or .ts of the directory without it, if there is one.',
  },
  ...configFlags()
    .filter(({ name }) => name !== 'definitions')
    .map(({ flag, argument, isRepeatable, meaning }) => ({
      flags: `--${flag} ${argument}`.trimEnd(),
      meaning,
      isRepeatable,
    })),
]

/**
 * The configuration by flags, environment and file.
 *
 * @param file the one that was read before, where it is read again
 * @throws ConfigError
 */
export async function readConfig(
  { arguments: definitions, options, terminal }: VerbInput,
  file: string | undefined = options.text('config'),
): Promise<LoadedConfig> {
  const flags: Record<string, string | readonly string[] | undefined> = {}
  for (const { flag, name, isRepeatable } of configFlags()) {
    const option = camelCase(flag)
    if (name === 'definitions') flags[flag] = definitions.length === 0 ? undefined : definitions
    else if (isRepeatable) {
      const items = options.list(option).flatMap(text => text.split(','))
      flags[flag] = items.length === 0 ? undefined : items
    } else flags[flag] = options.isSet(option) ? 'true' : options.text(option)
  }
  return await loadConfig({
    flags,
    environment: terminal.environment,
    environmentIgnored: commandVariables,
    file,
    directory: terminal.directory,
  })
}

const camelCase = (flag: string): string =>
  flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
