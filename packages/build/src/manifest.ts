/*
 * Variants on disk: `<type>.json` says which files hold them and what their hashes are. Who has them
 * needs neither the sources nor a bundler.
 */
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { DocumentDefinition } from '@fanfold/definition'
import type { BuiltDefinition, BuiltVariant } from './build-definition.ts'
import { BuildError, type BundleProblem } from './build-error.ts'
import type { VariantInput } from './bundle-module.ts'
import { evaluateDefinition } from './evaluate-definition.ts'
import { evaluateEdgeVariant } from './evaluate-edge-variant.ts'
import { read } from './read.ts'
import { shownPath } from './shown-path.ts'

/** One variant as a manifest says it. */
export type ManifestVariant = {
  /** Name of its file, beside the manifest. */
  readonly file: string
  /** SHA-256 of its text, 64 hexadecimal digits. */
  readonly hash: string
  readonly bytes: number
  /** What went in; paths relative to the directory of the definition's module. */
  readonly inputs: readonly VariantInput[]
}

/** What `<type>.json` holds. */
export type Manifest = {
  readonly format: typeof manifestFormat
  readonly type: string
  readonly authority: ManifestVariant
  /** One for ceiling 0 and one for each label, in rising order. */
  readonly edges: readonly (ManifestVariant & { readonly ceiling: number })[]
}

/** Grows when an older reader could not understand what is written. */
export const manifestFormat = 1

/** A file that belongs to what was built. */
export type BuiltFile = { readonly name: string; readonly text: string }

/** What was built as files, the manifest last, since it names the others; and the manifest itself. */
export function manifestOf(
  { definition, authority, edges }: BuiltDefinition,
  path: string,
): { readonly manifest: Manifest; readonly files: readonly BuiltFile[] } {
  const { type } = definition
  const directory = dirname(path)
  const describe = (variant: BuiltVariant, role: string): ManifestVariant => ({
    file: `${type}.${role}.${variant.hash.slice(0, 8)}.js`,
    hash: variant.hash,
    bytes: variant.bytes,
    inputs: variant.inputs.map(input => ({ ...input, path: relative(directory, input.path) })),
  })
  const manifest: Manifest = {
    format: manifestFormat,
    type,
    authority: describe(authority, 'authority'),
    edges: edges.map(edge => ({
      ceiling: edge.ceiling,
      ...describe(edge, `edge-${edge.ceiling}`),
    })),
  }
  const variants = [authority, ...edges].map((variant, index) => ({
    name: (manifest.edges[index - 1] ?? manifest.authority).file,
    text: variant.code,
  }))
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`
  return { manifest, files: [...variants, { name: `${type}.json`, text }] }
}

/** A definition as it was built before. */
export type ManifestDefinition = {
  readonly definition: DocumentDefinition
  readonly hash: string
  /** Absolute paths of the manifest and of the files that it names. */
  readonly inputs: readonly string[]
  readonly edges: readonly {
    readonly ceiling: number
    readonly code: string
    readonly hash: string
  }[]
  /** Always empty: warnings were given when it was built. */
  readonly warnings: readonly BundleProblem[]
}

/**
 * Reads the variants that a manifest names, checks their hashes, and evaluates them.
 *
 * @param path absolute
 * @throws BuildError
 */
export async function readManifest(path: string): Promise<ManifestDefinition> {
  const text = await readText(path, path)
  let manifest: Manifest
  try {
    manifest = decodeManifest(JSON.parse(text))
  } catch (error) {
    return refuse(path, error instanceof Error ? error.message : String(error))
  }
  const fileOf = ({ file }: ManifestVariant): string => join(dirname(path), file)
  const codeOf = async (variant: ManifestVariant): Promise<string> => {
    const code = await readText(fileOf(variant), path)
    const found = hash('sha256', code)
    if (found === variant.hash) return code
    return refuse(fileOf(variant), `has the hash ${found}, its manifest says ${variant.hash}`)
  }
  const { type, authority } = manifest
  const authorityCode = await codeOf(authority)
  const edges = await Promise.all(
    manifest.edges.map(async edge => {
      const code = await codeOf(edge)
      return { ceiling: edge.ceiling, code, hash: edge.hash }
    }),
  )
  const definition = evaluateDefinition(authorityCode, fileOf(authority))
  const types = edges.map(({ code }, index) => typeOf(code, manifest.edges[index]?.file ?? path))
  if ([definition.type, ...types].some(one => one !== type)) {
    return refuse(path, `its variants are of the types ${[definition.type, ...types].join(', ')}`)
  }
  const inputs = [path, ...[authority, ...manifest.edges].map(fileOf)]
  return { definition, hash: authority.hash, inputs, edges, warnings: [] }
}

function typeOf(code: string, place: string): string {
  try {
    return evaluateEdgeVariant(code).type
  } catch (error) {
    return refuse(place, error instanceof Error ? error.message : String(error))
  }
}

async function readText(path: string, namedBy: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new BuildError([{ place: shownPath(namedBy), message }], error)
  }
}

function refuse(path: string, message: string): never {
  throw new BuildError([{ place: shownPath(path), message }])
}

/** @throws Error with what is wrong */
function decodeManifest(value: unknown): Manifest {
  const format = read(value, 'format')
  if (format !== manifestFormat) {
    throw new Error(`is no manifest of format ${manifestFormat}, which fanfold build writes`)
  }
  const edges = read(value, 'edges')
  if (!Array.isArray(edges) || edges.length === 0) throw new Error('edges: a list of variants')
  const ceilings = edges.map((edge: unknown) => Number(read(edge, 'ceiling')))
  const isRising = ceilings.every((one, index) =>
    index === 0 ? one === 0 : Number.isInteger(one) && one > (ceilings[index - 1] ?? 0),
  )
  if (!isRising) throw new Error('edges: their ceilings rise from 0')
  return {
    format: manifestFormat,
    type: textOf(value, 'type'),
    authority: decodeVariant(read(value, 'authority'), 'authority'),
    edges: edges.map((edge: unknown, index) => ({
      ceiling: ceilings[index] ?? 0,
      ...decodeVariant(edge, `edges.${index}`),
    })),
  }
}

function decodeVariant(value: unknown, place: string): ManifestVariant {
  const file = textOf(value, 'file', place)
  // It names a file beside it, and leads nowhere else.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.~-]*$/.test(file))
    throw new Error(`${place}.file: the name of a file`)
  const hash = textOf(value, 'hash', place)
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new Error(`${place}.hash: 64 hexadecimal digits`)
  return { file, hash, bytes: Number(read(value, 'bytes')), inputs: [] }
}

function textOf(value: unknown, name: string, place = ''): string {
  const text = read(value, name)
  if (typeof text === 'string' && text !== '') return text
  throw new Error(`${place === '' ? name : `${place}.${name}`}: a text`)
}
