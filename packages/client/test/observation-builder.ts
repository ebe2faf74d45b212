import { DocumentObservation, type ObservationOptions } from '../src/document-observation.ts'
import type { FanfoldError } from '../src/fanfold-error.ts'
import { doc, snapshot } from './frames.ts'
import { VirtualTime } from './virtual-world.ts'

/** An observation without a line, and what it asks for, reports and tells. */
export function build(options: Partial<ObservationOptions> = {}) {
  const time = new VirtualTime()
  const asked: object[] = []
  const calls: string[] = []
  const errors: FanfoldError[] = []
  const observation = new DocumentObservation(
    {
      doc,
      viewState: undefined,
      maxRate: undefined,
      changesMax: 10,
      snapshotBytesMax: 1_000_000,
      reconnect: { minMs: 500, maxMs: 20_000 },
      environment: time.environment,
      ...options,
    },
    {
      moved: (_, to) => calls.push(`moved ${to}`),
      elsewhere: () => calls.push('elsewhere') < 2,
      left: () => calls.push('left'),
      report: error => errors.push(error),
    },
  )
  const attach = () => observation.attach(frame => asked.push(frame))
  const statuses: string[] = []
  observation.onStatus(status => statuses.push(status))
  return { observation, time, asked, calls, errors, attach, statuses }
}

/** The same with a line on which its first view has come. */
export const live = (options: Partial<ObservationOptions> = {}) => {
  const world = build(options)
  world.attach()
  world.observation.receive(snapshot())
  return world
}
