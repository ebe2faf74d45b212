export { Edge, type EdgeInput, type EdgeLimits } from './edge.ts'
export type { EdgeEffect, EdgeFact } from './edge-effect.ts'
