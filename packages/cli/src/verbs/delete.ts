import { requestDocument } from '../document-request.ts'
import { exitCodes } from '../exit-code.ts'
import { connectionOptions, readConnectionOptions } from '../open-connection.ts'
import type { Verb } from '../verb.ts'

/** `fanfold delete`. */
export const deleteVerb: Verb = {
  name: 'delete',
  meaning: 'Deletes a document; its observers are told.',
  arguments: [{ syntax: '<doc>', meaning: 'Key of the document: <tenant>/<type>/<id>.' }],
  options: connectionOptions,
  examples: ['delete acme/match/final --as $TOKEN', 'delete acme/match/final --json'],
  async run({ arguments: [doc = ''], options, output, terminal }) {
    const settings = readConnectionOptions(options, terminal)
    const { epoch, seq } = await requestDocument('DELETE', doc, {
      ...settings,
      signal: terminal.interrupted,
    })
    await output.result({ doc, epoch, seq }, () => `deleted ${doc} as seq ${seq} of epoch ${epoch}`)
    return exitCodes.ok
  },
}
