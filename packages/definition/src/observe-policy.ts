/* `observe`: who may observe, and as whom. */
import { labelMax } from '@fanfold/protocol'
import type { DeepReadonly } from './deep.ts'
import type { Numbering, ObservePolicy, Viewer } from './edge-definition.ts'
import { isObject, read, strangers } from './members.ts'
import { unawaited } from './unawaited.ts'

/** What an author writes under `observe`. */
export type ObserveSpec<Audience> = {
  /** May this viewer observe documents of the type at all? */
  readonly allow: (viewer: Viewer) => boolean
  /** The part of the viewer that rules and the view may depend on: JSON, of few different values. */
  readonly audience?: ((viewer: Viewer) => Audience) | undefined
  /** The highest label that an audience may see, 0 … 239. Default: 0, what has no label. */
  readonly clearance?: ((audience: DeepReadonly<Audience>) => number) | undefined
  /**
   * How deltas of a view are numbered. Default: `document`, by the document's seq; `dense` does not
   * tell a viewer how much happens that it is not shown.
   */
  readonly numbering?: Numbering | undefined
}

const members = ['allow', 'audience', 'clearance', 'numbering']
const numberings: readonly unknown[] = ['document', 'dense', undefined]

/** Everything that is wrong with what stands under `observe`, each with its place. */
export function observeProblems(spec: unknown): string[] {
  if (spec === undefined) return []
  if (!isObject(spec)) return ['observe: an object with allow(viewer)']
  const problems = strangers(spec, members, 'observe.')
  if (typeof read(spec, 'allow') !== 'function') {
    problems.push('observe.allow: a function of the viewer; without it nobody may observe')
  }
  for (const name of ['audience', 'clearance']) {
    const value = read(spec, name)
    if (value !== undefined && typeof value !== 'function') {
      problems.push(`observe.${name}: a function`)
    }
  }
  if (!numberings.includes(read(spec, 'numbering'))) {
    problems.push("observe.numbering: 'document' or 'dense'")
  }
  return problems
}

/** The policy that a checked `observe` says. */
export function observePolicyOf<Audience>(
  spec: ObserveSpec<Audience> | undefined,
): ObservePolicy | undefined {
  if (spec === undefined) return undefined
  const { allow, audience, clearance, numbering } = spec
  const clear = clearance as ((audience: unknown) => number) | undefined
  return Object.freeze({
    // Whatever else an author's code returns, a promise for one, is not permission.
    allow: (viewer: Viewer) => unawaited(allow(viewer)) === true,
    audience: (viewer: Viewer) => (audience === undefined ? {} : unawaited(audience(viewer))),
    clearance: (one: unknown) => (clear === undefined ? 0 : checkedLabel(unawaited(clear(one)))),
    numbering: numbering ?? 'document',
  })
}

/** Which labels there are, 0 … 239. */
export const isLabel = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= labelMax

function checkedLabel(label: unknown): number {
  if (isLabel(label)) return label
  throw new Error(`a clearance is a label, 0 … ${labelMax}`)
}
