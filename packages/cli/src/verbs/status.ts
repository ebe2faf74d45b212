import { adminOptions, askAdmin, readAdminOptions } from '../admin-request.ts'
import { exitCodes } from '../exit-code.ts'
import type { Verb } from '../verb.ts'

type Fields = Readonly<Record<string, unknown>>

/** What the admin port says with while the node is not ready. */
const notReadyStatus = 503

/** `fanfold status`. */
export const statusVerb: Verb = {
  name: 'status',
  meaning:
    'Whether a node is well and ready, and what it is part of. Ends with 0 when it is, with 4 when it is not, with 3 when nobody answers.',
  options: adminOptions,
  examples: ['status', 'status --admin-url http://10.0.0.7:9700 --json'],
  async run({ options, output, terminal }) {
    const settings = readAdminOptions(options, terminal)
    const health = await askAdmin('GET', '/healthz', settings)
    const { reasons } = await askAdmin('GET', '/readyz', settings, {
      statuses: [notReadyStatus],
    })
    const told = Array.isArray(reasons) ? reasons.map(String) : []
    const isWell = health['status'] === 'ok' && told.length === 0
    const status = { ...health, ready: told.length === 0, reasons: told }
    await output.result(status, () => statusText(health, told))
    return isWell ? exitCodes.ok : exitCodes['check-failed']
  },
}

function statusText(health: Fields, reasons: readonly string[]): string {
  const { documentsSuspect } = health
  const suspects =
    documentsSuspect === undefined
      ? []
      : [`${documentsSuspect} documents are not as they should be`]
  const first = reasons.length === 0 ? 'ready' : 'not ready'
  return [`${first}, ${partText(health)}`, ...reasons, ...suspects].join('\n  ')
}

/** What the node is part of; nodes of other versions may not say it. */
function partText({ mode, members, parents, fingerprint }: Fields): string {
  switch (mode) {
    case 'fleet':
      return `one of a fleet of ${members}, set to ${fingerprint}`
    case 'parents':
      return `below ${parents} named parents`
    case 'alone':
      return 'alone'
    default:
      return 'of another version'
  }
}
