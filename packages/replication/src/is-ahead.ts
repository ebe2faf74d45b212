import type { Position, ResumePoint } from '@fanfold/protocol'

type Place = Position | ResumePoint

/** True when `a` is later in the log than `b`: of a later epoch, or further on in the same one. */
export const isAhead = (a: Place, b: Place): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq)
