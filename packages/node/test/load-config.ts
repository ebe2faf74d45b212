import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../src/config.ts'
import { ConfigError, type ConfigProblem } from '../src/config-error.ts'

/** A secret long enough for every option that takes one. */
export const secret = 'a secret of thirty-two characters or more'

/** Loads in an empty directory, so that no file of the machine gets in. */
export const load = async (
  test: { testdir(): string },
  options: Omit<LoadConfigOptions, 'directory'>,
): Promise<LoadedConfig> => await loadConfig({ ...options, directory: test.testdir() })

/** What was wrong; empty when nothing was. */
export async function problemsOf(loading: Promise<unknown>): Promise<readonly ConfigProblem[]> {
  try {
    await loading
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
