/* What is imported as `@fanfold/client/many`: several documents as one value. */
export { Hole } from './hole.ts'
export {
  type ManyObservation,
  type ManyOptions,
  type ManyViews,
  type Missing,
  observeMany,
} from './observe-many.ts'
