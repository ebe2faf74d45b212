/* infra/kubernetes as `kubectl kustomize` puts it together, as far as the tests look at it. */
import { execFileSync } from 'node:child_process'
import { parseAllDocuments } from 'yaml'
import { findProgram, kubectl, missingSentence } from '../system/system-program.ts'
import { thisMachine } from '../system/this-machine.ts'
import { root } from './compose-file.ts'

/** A map of whatever a manifest holds. */
export type Fields = Readonly<Record<string, unknown>>

/** One object of the cluster. */
export type Manifest = {
  readonly kind: string
  readonly name: string
  readonly namespace: string | undefined
  readonly fields: Fields
}

/** What runs in the pods of a set. */
export type PodContainer = {
  readonly name: string
  readonly args: readonly string[]
  readonly fields: Fields
}

/** A set of pods of the fleet. */
export type PodSet = {
  readonly name: string
  readonly manifest: Manifest
  readonly labels: Fields
  readonly selector: Fields
  readonly spec: Fields
  readonly initContainers: readonly PodContainer[]
  readonly containers: readonly PodContainer[]
}

/** All objects, in the order in which they are applied. @throws Error when they cannot be put together */
export function readManifests(): readonly Manifest[] {
  const program = findProgram(kubectl, thisMachine)
  if (program === undefined) throw new Error(missingSentence(kubectl))
  const text = execFileSync(program, ['kustomize', `${root}infra/kubernetes`], { encoding: 'utf8' })
  return parseAllDocuments(text).map(document => {
    const fields = fieldsOf(document.toJS())
    const { name, namespace } = fieldsOf(fields['metadata'])
    return {
      kind: String(fields['kind']),
      name: String(name),
      namespace: namespace === undefined ? undefined : String(namespace),
      fields,
    }
  })
}

/** The sets of pods among them. */
export function podSetsOf(manifests: readonly Manifest[]): readonly PodSet[] {
  return manifests
    .filter(({ kind }) => kind === 'StatefulSet')
    .map(manifest => {
      const set = fieldsOf(manifest.fields['spec'])
      const template = fieldsOf(set['template'])
      const spec = fieldsOf(template['spec'])
      return {
        name: manifest.name,
        manifest,
        labels: fieldsOf(fieldsOf(template['metadata'])['labels']),
        selector: fieldsOf(fieldsOf(set['selector'])['matchLabels']),
        spec,
        initContainers: listOf(spec['initContainers'] ?? []).map(container),
        containers: listOf(spec['containers']).map(container),
      }
    })
}

const container = (fields: Fields): PodContainer => ({
  name: String(fields['name']),
  args: textsOf(fields['args'] ?? []),
  fields,
})

/** True when an object with these labels is selected. */
export const selects = (selector: Fields, labels: Fields): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value)

/** A map. @throws Error for anything else */
export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`a map, got ${JSON.stringify(value)}`)
  }
  return value as Fields
}

/** A list of maps. @throws Error for anything else */
export function listOf(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) throw new Error(`a list, got ${JSON.stringify(value)}`)
  return value.map(fieldsOf)
}

const textsOf = (value: unknown): readonly string[] => {
  if (!Array.isArray(value)) throw new Error(`a list, got ${JSON.stringify(value)}`)
  return value.map(String)
}
