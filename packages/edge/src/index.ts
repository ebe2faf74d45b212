export { Edge, type EdgeLimits } from './edge.ts'
export type { EdgeEffect, EdgeFact, EdgeInput } from './edge-effect.ts'
