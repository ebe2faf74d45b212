import type { Change } from '@fanfold/client'
import { isJsonObject, type JsonValue } from '@fanfold/document'
import { digestOf } from '../digest.ts'
import { exitCodes } from '../exit-code.ts'
import {
  connectionOptions,
  openConnection,
  readConnectionOptions,
  silenceError,
  viewStateOption,
} from '../open-connection.ts'
import { raceSilence } from '../race-silence.ts'
import type { Verb } from '../verb.ts'

/** `fanfold get`. */
export const getVerb: Verb = {
  name: 'get',
  meaning: 'Shows the view of a document, as the bearer of the token sees it, once.',
  arguments: [{ syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' }],
  options: [
    ...connectionOptions,
    viewStateOption,
    { flags: '--pretty', meaning: 'The view over several lines, indented.' },
    { flags: '--hash', meaning: 'SHA-256 of the canonical JSON of the view, in its place.' },
  ],
  examples: [
    'get acme/match/final --as $TOKEN --pretty',
    'get acme/match/final --hash',
    `get acme/match/final --view-state '{"page":2}'`,
    'get acme/match/final --json | jq .seq',
  ],
  async run({ arguments: [doc = ''], options, output, terminal }) {
    const settings = readConnectionOptions(options, terminal)
    const viewState = options.json('viewState')
    const { connection, trouble, refused } = openConnection(settings)
    try {
      const { epoch, seq, view } = await raceSilence(
        firstView(connection.observe(doc, { viewState })),
        {
          terminal,
          refused,
          timeoutMs: settings.timeoutMs,
          late: () => silenceError(settings, trouble()),
        },
      )
      const sha256 = options.isSet('hash') ? digestOf(view) : undefined
      const shown = sha256 === undefined ? { epoch, seq, view } : { epoch, seq, sha256 }
      await output.result(
        shown,
        () => sha256 ?? JSON.stringify(view, undefined, options.isSet('pretty') ? 2 : undefined),
      )
      return exitCodes.ok
    } finally {
      connection.close()
    }
  },
}

/** The first change of an observation carries the whole view. */
async function firstView(
  changes: AsyncIterable<Change>,
): Promise<{ readonly epoch: number; readonly seq: number; readonly view: JsonValue }> {
  for await (const { epoch, seq, patch } of changes) {
    const view = wholeView(patch)
    if (view !== undefined) return { epoch, seq, view }
  }
  throw new Error('the observation ended before its first view')
}

/** The view that a snapshot's patch puts in place of everything; undefined for another patch. */
export function wholeView(patch: Change['patch']): JsonValue | undefined {
  const [operation] = patch
  const isWhole = operation?.op === 'replace' && operation.path === '' && patch.length === 1
  return isWhole && isJsonObject(operation.value) ? operation.value : undefined
}
