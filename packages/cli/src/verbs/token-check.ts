import { createTokenVerifier, TokenError } from '@fanfold/node'
import { exitCodes } from '../exit-code.ts'
import { alignColumns } from '../output.ts'
import { readTokenKey, tokenKeyError, tokenKeyOption } from '../token-key.ts'
import type { Verb, VerbInput } from '../verb.ts'

/** `fanfold token check`. */
export const tokenCheckVerb: Verb = {
  name: 'check',
  meaning:
    'Checks a token as a node would, and shows what it allows. Ends with 4 when it is not good.',
  arguments: [{ syntax: '<token>', meaning: 'The token; - reads it from standard input.' }],
  options: [
    tokenKeyOption,
    { flags: '--audience <audience>', meaning: 'The audience that the token must name.' },
    { flags: '--issuer <issuer>', meaning: 'The issuer that the token must name.' },
  ],
  examples: ['token check $TOKEN --key token.key', 'token check - --key token.key --json < token'],
  async run(input) {
    const {
      arguments: [argument = ''],
      output,
      terminal,
    } = input
    const verifier = makeVerifier(await readTokenKey(input), input)
    const token = argument === '-' ? (await terminal.readInput()).trim() : argument
    try {
      const { subject, tenant, documents, allow, claims, expiresAtMs } =
        await verifier.verify(token)
      const expires = expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString()
      await output.result({ subject, tenant, documents, allow, claims, expires }, () =>
        alignColumns([
          ['subject', subject],
          ['tenant', tenant ?? '(any)'],
          ['documents', documents.join(' ')],
          ['allow', allow.join(' ')],
          ['claims', JSON.stringify(claims)],
          ['refused after', expires ?? '(never)'],
        ]),
      )
      return exitCodes.ok
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      const { code, reason, message } = error
      const text = output.isJson
        ? JSON.stringify({ error: { code, reason, message } })
        : `fanfold token check: ${message} [${code}]`
      await terminal.err.write(`${text}\n`)
      return exitCodes['check-failed']
    }
  },
}

function makeVerifier(
  key: string,
  { options, terminal }: VerbInput,
): ReturnType<typeof createTokenVerifier> {
  try {
    return createTokenVerifier({
      key,
      audience: options.text('audience'),
      issuer: options.text('issuer'),
      wallClock: () => terminal.clock.wallClock(),
    })
  } catch (error) {
    throw tokenKeyError(error)
  }
}
