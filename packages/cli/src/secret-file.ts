import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandError } from './command-error.ts'

/** The text of a file, without white space around it. @throws CommandError when it cannot be read */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw new CommandError('FANFOLD_NO_FILE', `cannot read ${path}: ${reasonOf(error)}`, error)
  }
}

/**
 * Writes a new file that only its owner can read, and the directories to it.
 *
 * @throws CommandError when there is one already: a key that is overwritten is lost
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw new CommandError('FANFOLD_FILE_FAILED', `cannot make ${dirname(path)}`, error)
  })
  try {
    await writeFile(path, `${text.trim()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      const message = `${path} is there already: name another, or remove it if it is not needed`
      throw new CommandError('FANFOLD_FILE_EXISTS', message, error)
    }
    throw new CommandError('FANFOLD_FILE_FAILED', `cannot write ${path}: ${reasonOf(error)}`, error)
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)
