import { type AdminSettings, adminOptions, askAdmin, readAdminOptions } from '../admin-request.ts'
import { CommandError } from '../command-error.ts'
import { exitCodes } from '../exit-code.ts'
import type { Verb } from '../verb.ts'

/** How often it is looked whether the node is gone, ms. */
const lookEveryMs = 200
/** What is waited for beyond the node's own deadline, ms. */
const graceMs = 2_000

/** `fanfold drain`. */
export const drainVerb: Verb = {
  name: 'drain',
  meaning:
    'Asks a node to go in good order, as SIGTERM does, and waits until its process has ended. Ends with 1 when that takes longer than the node says it may.',
  options: [
    ...adminOptions,
    { flags: '--no-wait', meaning: 'Ends as soon as the node has begun to go.' },
  ],
  examples: [
    'drain --admin-url http://10.0.0.7:9700 --admin-token $ADMIN_TOKEN',
    'drain --no-wait --json',
  ],
  async run({ options, output, terminal }) {
    const settings = readAdminOptions(options, terminal)
    const begun = await askAdmin('POST', '/admin/drain', settings)
    const { node, incarnation, viewers, children, documents } = begun
    const held = { node, viewers, children, documents }
    if (options.isUnset('wait')) {
      await output.result({ ...held, gone: false }, () => `${node} goes: ${wordsOf(begun)}`)
      return exitCodes.ok
    }
    const from = terminal.clock.now()
    const maxMs = Number(begun['deadlineMs']) + graceMs
    while (!(await isGone(settings, incarnation))) {
      const tookMs = terminal.clock.now() - from
      if (tookMs > maxMs) {
        const message = `${node} is still there after ${Math.round(tookMs)} ms: look at its log`
        throw new CommandError('FANFOLD_FAILED', message)
      }
      await terminal.clock.wait(lookEveryMs, terminal.interrupted)
    }
    const tookMs = Math.round(terminal.clock.now() - from)
    await output.result(
      { ...held, gone: true, tookMs },
      () => `${node} is gone after ${tookMs} ms; it had ${wordsOf(begun)}`,
    )
    return exitCodes.ok
  },
}

const wordsOf = ({ viewers, children, documents }: Readonly<Record<string, unknown>>): string =>
  `${viewers} viewers, ${children} streams to nodes below, ${documents} documents`

/** Nobody answers there any more, or another process does. */
async function isGone(settings: AdminSettings, incarnation: unknown): Promise<boolean> {
  try {
    const state = await askAdmin('GET', '/admin/drain', settings)
    return state['incarnation'] !== incarnation
  } catch (error) {
    if (error instanceof CommandError && error.code === 'FANFOLD_UNREACHABLE') return true
    throw error
  }
}
