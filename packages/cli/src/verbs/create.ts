import { requestDocument } from '../document-request.ts'
import { exitCodes } from '../exit-code.ts'
import { connectionOptions, readConnectionOptions } from '../open-connection.ts'
import type { Verb } from '../verb.ts'

/** `fanfold create`. */
export const createVerb: Verb = {
  name: 'create',
  meaning: 'Creates a document with the initial state of its definition.',
  arguments: [{ syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' }],
  options: connectionOptions,
  examples: ['create acme/match/final --as $TOKEN', 'create acme/match/final --json'],
  async run({ arguments: [doc = ''], options, output, terminal }) {
    const settings = readConnectionOptions(options, terminal)
    const { epoch, seq } = await requestDocument('POST', doc, {
      ...settings,
      signal: terminal.interrupted,
    })
    await output.result({ doc, epoch, seq }, () => `created ${doc} as seq ${seq} of epoch ${epoch}`)
    return exitCodes.ok
  },
}
