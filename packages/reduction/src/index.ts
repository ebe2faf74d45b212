export { type Aggregate, decodeAggregate, encodeAggregate, mergeAggregates } from './aggregate.ts'
export { type ChildAnswer, Combiner, type Sent } from './combiner.ts'
export { decodeContent, encodeContent, type Part } from './content.ts'
export { crowdLimits } from './crowd-limits.ts'
export { decodeEntry, encodeEntry, Ledger, type LedgerEntry } from './ledger.ts'
export { type Folded, Origin, type Outcome } from './origin.ts'
export {
  type Range,
  readRanges,
  readStandings,
  type Standing,
  writeRanges,
  writeStandings,
} from './ranges.ts'
