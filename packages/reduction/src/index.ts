export {
  type Aggregate,
  decodeAggregate,
  encodeAggregate,
  manifestBytesOf,
} from './aggregate.ts'
export { encodeCrowdAnswer } from './answer-frame.ts'
export { ChildPace, type CrowdPaceBudget, crowdBudgetDefault } from './child-pace.ts'
export { type ChildAnswer, Combiner } from './combiner.ts'
export { decodeContent, encodeContent, type Part } from './content.ts'
export { crowdLimits } from './crowd-limits.ts'
export type { Downward, Upward } from './exchange.ts'
export { decodeEntry, encodeEntry, Ledger, type LedgerEntry } from './ledger.ts'
export { type Folded, Origin, type Outcome } from './origin.ts'
export { decodeStandings, encodeStandings, type Range, type Standing } from './ranges.ts'
export { type CrowdSource, CrowdUplink, type CrowdUplinkOptions } from './uplink.ts'
