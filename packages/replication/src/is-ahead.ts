import type { Position } from '@fanfold/protocol'

/** True when `a` is later in the log than `b`: of a later epoch, or further on in the same one. */
export const isAhead = (a: Position, b: Position): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq)
