export {
  type BuildOptions,
  type BuiltDefinition,
  type BuiltEdge,
  type BuiltVariant,
  buildDefinition,
} from './build-definition.ts'
export {
  type BundleOptions,
  type BundleResult,
  bundleModule,
  type VariantInput,
} from './bundle-module.ts'
export { type BuiltFile, manifestOf } from './manifest.ts'
export type { BuildWarning } from './reach-warnings.ts'
export * from './variants.ts'
