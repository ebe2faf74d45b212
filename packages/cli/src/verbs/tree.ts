import { type AdminSettings, adminOptions, askAdmin, readAdminOptions } from '../admin-request.ts'
import { CommandError, usageError } from '../command-error.ts'
import { exitCodes } from '../exit-code.ts'
import { treeText } from '../tree-text.ts'
import type { Verb } from '../verb.ts'

/** `fanfold tree`. */
export const treeVerb: Verb = {
  name: 'tree',
  meaning:
    'Shows the fleet as a node knows it: regions, nodes, what each holds and sends. With a document: whose it is, which proxies have it in each region, and its tree from the authority to the edges: who has it from whom, how far behind each is, its viewers and what comes there in a second.',
  arguments: [{ syntax: '[doc]', meaning: 'Key of a document: <tenant>/<type>/<id>.' }],
  options: [
    ...adminOptions,
    { flags: '--watch', meaning: 'Again and again, until a signal ends it.' },
    { flags: '--every <duration>', meaning: 'How often, with --watch.', default: '1s' },
  ],
  examples: ['tree', 'tree acme/match/final', 'tree --watch --every 2s', 'tree --json | jq .fleet'],
  async run({ arguments: [doc], options, output, terminal }) {
    const settings = readAdminOptions(options, terminal)
    const everyMs = options.duration('every', { minMs: 100, maxMs: 3_600_000 })
    const isWatched = options.isSet('watch')
    const show = async (): Promise<void> => {
      const topology = await ask(doc, settings)
      await output.result(topology, () => treeText(topology))
    }
    const { clock, interrupted } = terminal
    if (!isWatched) await show()
    for (let isFirst = true; isWatched && !interrupted.aborted; isFirst = false) {
      if (!isFirst && !output.isJson) await output.line('')
      try {
        await show()
      } catch (error) {
        if (interrupted.aborted) break
        // A node that is started again is looked at again; one that never answered is not there.
        if (isFirst || !isUnreachable(error)) throw error
        await output.note(error.message)
      }
      await clock.wait(everyMs, interrupted)
    }
    return exitCodes.ok
  },
}

const isUnreachable = (error: unknown): error is CommandError =>
  error instanceof CommandError && error.code === 'FANFOLD_UNREACHABLE'

async function ask(
  doc: string | undefined,
  settings: AdminSettings,
): Promise<Readonly<Record<string, unknown>>> {
  if (doc === '') throw usageError('a document key is <tenant>/<type>/<id>')
  const query = doc === undefined ? '' : `?doc=${encodeURIComponent(doc)}`
  return await askAdmin('GET', `/admin/topology${query}`, settings)
}
