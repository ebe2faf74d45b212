import { parseDocumentKey, type WriteAction } from '@fanfold/protocol'
import type { AuthorityHost } from './authority-host.ts'
import { wallClock } from './clock.ts'
import { loadFeed } from './load-definition.ts'
import type { Log } from './logging.ts'
import type { Project } from './read-project.ts'

/** Runs the demonstration's feed, which writes to its document until it is aborted. */
export async function startFeed(
  project: Project,
  options: { readonly authority: AuthorityHost; readonly seed: string; readonly log: Log },
): Promise<AbortController | undefined> {
  const { authority, seed, log } = options
  if (project.feed === undefined || project.document === undefined) return undefined
  const { exports } = await loadFeed(project.feed)
  const run = exports['default']
  if (typeof run !== 'function') throw new TypeError(`${project.feed} has no default function`)
  const doc = parseDocumentKey(project.document)
  const abort = new AbortController()
  const write = async (action: WriteAction): Promise<void> => {
    const answer = await authority.write({
      doc,
      action,
      id: undefined,
      subject: 'feed',
      claims: {},
      mayCreate: true,
      timeMs: wallClock(),
      trace: undefined,
    })
    if (answer.kind === 'committed' || answer.code === 'FANFOLD_EXISTS') return
    if (!abort.signal.aborted) throw new Error(`${action.type}: ${answer.code} ${answer.message}`)
  }
  // Whoever opens the page first finds the document.
  await write({ type: 'create' })
  const send = (message: string, value: unknown): Promise<void> =>
    write({ type: 'send', message, value })
  const running: Promise<unknown> = Promise.resolve(run({ send, seed, signal: abort.signal }))
  running.catch((error: unknown) => {
    if (!abort.signal.aborted) log.error({ event: 'feed.failed', err: error }, 'feed failed')
  })
  return abort
}
