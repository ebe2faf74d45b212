import { resolve } from 'node:path'
import { CommandError, usageError } from './command-error.ts'
import { readSecret } from './secret-file.ts'
import type { VerbInput, VerbOption } from './verb.ts'

/** The key of tokens, for the verbs that make and check them. */
export const tokenKeyOption: VerbOption = {
  flags: '--key <file>',
  meaning:
    'The key of tokens: a secret, or an Ed25519 key as PEM or JWK; FANFOLD_TOKEN_KEY or FANFOLD_TOKEN_KEY_FILE without it.',
}

/** @throws CommandError when no key is given, or its file cannot be read */
export async function readTokenKey({ options, terminal }: VerbInput): Promise<string> {
  const { environment, directory } = terminal
  const file = options.text('key')
  if (file !== undefined) return await readSecret(resolve(directory, file))
  const key = environment['FANFOLD_TOKEN_KEY']?.trim()
  if (key !== undefined && key !== '') return key
  const keyFile = environment['FANFOLD_TOKEN_KEY_FILE']
  if (keyFile !== undefined) return await readSecret(resolve(directory, keyFile))
  throw usageError('a key is needed: --key FILE, FANFOLD_TOKEN_KEY or FANFOLD_TOKEN_KEY_FILE')
}

/** What a key that is none leads to; the message does not quote it. */
export function tokenKeyError(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error
  return new CommandError('FANFOLD_BAD_TOKEN_KEY', error.message, error)
}
