import { aboveLabels, buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, Replica, type Snapshot } from '@fanfold/document'
import type { LogRecord } from '@fanfold/protocol'
import { doc } from './build-stream.ts'

/** A log whose records have parts of all kinds, with a snapshot of an authority at its end. */
export const labelled: { readonly records: readonly LogRecord[]; readonly snapshot: Snapshot } =
  labelledLog(40)

function labelledLog(count: number): typeof labelled {
  const labels = [
    { pattern: '/odds', label: 1 },
    { pattern: '/roles/*', label: 2 },
  ]
  const definition = { variant: 'ab'.repeat(32), viewKey: 'cd'.repeat(16), labels }
  const { records, end } = buildLog({ doc, count, definition, isWhole: true })
  const replica = new Replica(sha256)
  for (const record of records) replica.append(record)
  const state = replica.state()
  const snapshot = encodeSnapshot({
    at: end,
    state,
    definition: replica.definition,
    extra: { ids: aboveLabels.authority },
    sha256,
  })
  return { records, snapshot }
}
