import { CommandError } from '../command-error.ts'
import { exitCodes } from '../exit-code.ts'
import { connectionOptions, openConnection, readConnectionOptions } from '../open-connection.ts'
import { parseJson } from '../options.ts'
import { raceSilence } from '../race-silence.ts'
import type { Verb } from '../verb.ts'

/** The client's own deadline comes first, as it knows whether the message went out. */
const graceMs = 1_000

/** `fanfold send`. */
export const sendVerb: Verb = {
  name: 'send',
  meaning: 'Sends a message to a document and waits until it is committed.',
  arguments: [
    { syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' },
    { syntax: '<message>', meaning: "Name of one of the definition's messages." },
    { syntax: '[json]', meaning: 'Value of the message; - reads it from standard input.' },
  ],
  options: [
    ...connectionOptions,
    {
      flags: '--id <id>',
      meaning: 'Idempotency key: sent again with the same one, the message commits once.',
    },
  ],
  examples: [
    `send acme/match/final goal '{"team":"home"}' --as $TOKEN`,
    'send acme/match/final goal - < goal.json',
    `send acme/match/final goal '{"team":"home"}' --id goal-17 --json`,
  ],
  async run({ arguments: [doc = '', message = '', json], options, output, terminal }) {
    const settings = readConnectionOptions(options, terminal)
    const text = json === '-' ? await terminal.readInput() : json
    const value = text === undefined ? undefined : parseJson(text, 'the value')
    const { connection, trouble, refused } = openConnection(settings, {
      sendTimeoutMs: settings.timeoutMs,
    })
    try {
      const { epoch, seq } = await raceSilence(
        connection.send(doc, message, value, { id: options.text('id') }),
        {
          terminal,
          refused,
          timeoutMs: settings.timeoutMs + graceMs,
          late: () => new CommandError('FANFOLD_NO_ANSWER', `${settings.url} gave no answer`),
        },
      ).catch((error: unknown): never => {
        throw withTrouble(error, { url: settings.url, trouble: trouble()?.message })
      })
      await output.result({ epoch, seq }, () => `committed as seq ${seq} of epoch ${epoch}`)
      return exitCodes.ok
    } finally {
      connection.close()
    }
  },
}

/** A message that was never sent says no more than that; what stood in its way says why. */
function withTrouble(
  error: unknown,
  { url, trouble }: { readonly url: string; readonly trouble: string | undefined },
): unknown {
  const isNotSent = error instanceof Error && 'code' in error && error.code === 'FANFOLD_NOT_SENT'
  if (!isNotSent) return error
  const message = `cannot reach ${url} (${trouble ?? error.message}), nothing was sent: give the --url of a node that runs: an edge to observe, the authority to write`
  return new CommandError('FANFOLD_UNREACHABLE', message, error)
}
