import type { ViewerFrame } from '@fanfold/protocol'

type SnapshotFrame = Extract<ViewerFrame, { type: 'snapshot' }>
type DeltaFrame = Extract<ViewerFrame, { type: 'delta' }>

export const doc = 'acme/match/final'

/** A snapshot frame: a counter that stands at `seq`, and a part that never changes. */
export const snapshot = (fields: Partial<SnapshotFrame> = {}): SnapshotFrame => {
  const { epoch = 1, seq = 10 } = fields
  const view = { count: seq, still: { deep: [1] } }
  return { type: 'snapshot', doc, epoch, seq, position: `p${epoch}.${seq}`, view, ...fields }
}

/** A delta frame that sets the counter to `seq`. */
export const delta = (fields: Partial<DeltaFrame> = {}): DeltaFrame => {
  const { epoch = 1, seq = 11 } = fields
  const patch = [{ op: 'replace', path: '/count', value: seq }]
  return { type: 'delta', doc, epoch, from: seq - 1, seq, patch, time: 1_000 + seq, ...fields }
}
