import type { ClientReport, ClientRequest } from './client-messages.ts'

/** How often a client says where it stands, ms. */
const reportMs = 40

/**
 * Answers the command that started this process until it is gone, and then ends.
 *
 * @param client.state where the client stands; all of it is in its history by then
 */
export function serveRequests<State>(client: {
  readonly state: () => State
  readonly take: (kind: Exclude<ClientRequest['kind'], 'tell'>) => void
}): void {
  let answers = 0
  const report = (): void => {
    const said: ClientReport<State> = { answers, state: client.state() }
    process.send?.(said, undefined, undefined, () => undefined)
  }
  process.on('message', (request: ClientRequest) => {
    if (request.kind !== 'tell') client.take(request.kind)
    answers++
    report()
  })
  process.on('disconnect', () => process.exit(0))
  setInterval(report, reportMs)
}
