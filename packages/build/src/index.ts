export {
  type BuildOptions,
  type BuiltDefinition,
  type BuiltEdge,
  type BuiltVariant,
  buildDefinition,
  evaluateDefinition,
} from './build-definition.ts'
export { BuildError } from './build-error.ts'
export {
  type BundleOptions,
  type BundleProblem,
  type BundleResult,
  bundleModule,
  evaluateModule,
  type VariantInput,
} from './bundle-module.ts'
export { EdgeVariantError, evaluateEdgeVariant } from './evaluate-edge-variant.ts'
export {
  type BuiltFile,
  type Manifest,
  type ManifestDefinition,
  type ManifestVariant,
  manifestOf,
  readManifest,
} from './manifest.ts'
export type { BuildWarning } from './reach-warnings.ts'
