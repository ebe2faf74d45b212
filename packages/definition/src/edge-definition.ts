/*
 * What an edge knows of the documents of one type: who may observe, what each may see, what they get.
 * A definition holds all of it beside what only the authority runs.
 */
import type { JsonValue, LabelRule, PathPattern } from '@fanfold/document'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyReduction } from './message.ts'
import type { Voice } from './reductions/reduction.ts'
import type { EdgeWatched } from './watched.ts'

/** Who observes: all that the policy and the audience may depend on. */
export type Viewer = {
  /** The subject of the viewer's token. */
  readonly id: string
  /** The claims of the viewer's token. */
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * How the deltas of a view are numbered: by the document's seq, whose steps tell a viewer how many
 * deltas it was not shown; or densely, one after the other, which tells nothing.
 */
export type Numbering = 'document' | 'dense'

/** Who may observe, and as whom. */
export type ObservePolicy = {
  /** May this viewer observe documents of the type at all? */
  allow(viewer: Viewer): boolean
  /** The part of the viewer that rules may depend on: JSON; `{}` where none is declared. */
  audience(viewer: Viewer): unknown
  /** The highest label that the audience may see, 0 … 239; 0 where none is declared. */
  clearance(audience: unknown): number
  readonly numbering: Numbering
}

/** What a rule is asked about: one place that its pattern covers. */
export type RuleContext = {
  /** What the last `*` of the pattern stands for; `''` for a pattern without. */
  readonly key: string
  /** What each `*` of the pattern stands for, in order. */
  readonly keys: readonly string[]
  /** The values at the paths that the rule declares, by the path as it was declared. */
  readonly reads: Readonly<Record<string, JsonValue | undefined>>
}

/** Who sees what is at and below the places of a pattern. */
export type PrivacyRule = {
  readonly pattern: PathPattern
  /** Paths on which the rule depends; a `*` in one stands for what the rule's own `*` stands for, in order. */
  readonly reads: readonly PathPattern[]
  allow(audience: unknown, context: RuleContext): boolean
}

/** A reducer as an edge has it: what the crowd may say, and how it is summed up. */
export type EdgeReducer = {
  readonly schema: StandardSchemaV1
  of(value: unknown, voice: Voice): unknown
  readonly into: AnyReduction
}

/** A definition as an edge has it. */
export type EdgeDefinition = {
  readonly type: string
  /** What the crowd may say, by name; names are looked for as own members alone. */
  readonly reducers: { readonly [name: string]: EdgeReducer }
  /** Where the crowd looks, by its view states, by name; likewise. */
  readonly watched: { readonly [name: string]: EdgeWatched }
  /** Undefined: nobody may observe. */
  readonly observe: ObservePolicy | undefined
  /**
   * The rules, without that for `/**`. A value is seen by an audience when every rule on its path (at
   * it or above it) allows it and its label is within the clearance; where no rule is on the path,
   * `isOpen` says. Under a closed default an object on the way to a rule's places is seen as an object
   * that holds what is seen below it, if its path in the rule's pattern has no `*` and not all of the
   * rule's places are labelled above the clearance; arrays and other values there are not seen. An
   * array with rules below it is seen without the elements that are not.
   */
  readonly rules: readonly PrivacyRule[]
  /** Whether values without a rule are seen: true unless `/**` is `nobody`. */
  readonly isOpen: boolean
  readonly labels: readonly LabelRule[]
  /** What each cohort sees, made from what is visible to it; undefined for just that. */
  readonly view: ViewFunction | undefined
  /** What view state must be; undefined when viewers have none. */
  readonly viewState: StandardSchemaV1 | undefined
}

/** A definition's `view`; it returns a JSON object. */
export type ViewFunction = (visible: unknown, audience: unknown, viewState: unknown) => unknown
