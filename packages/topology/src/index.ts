export { placementKeyOf } from './placement-key.ts'
export { type Candidate, Rendezvous, weightMax } from './rendezvous.ts'
export { hashText, type Lanes } from './string-hash.ts'
