/*
 * What a node runs that has variants and not their sources: it evaluates them, and needs neither the
 * bundler nor the parser.
 */
export { BuildError, type BundleProblem } from './build-error.ts'
export { evaluateDefinition } from './evaluate-definition.ts'
export { EdgeVariantError, evaluateEdgeVariant } from './evaluate-edge-variant.ts'
export { evaluateModule } from './evaluate-module.ts'
export { libraryNames } from './library-names.ts'
export {
  type Manifest,
  type ManifestDefinition,
  type ManifestVariant,
  readManifest,
} from './manifest.ts'
