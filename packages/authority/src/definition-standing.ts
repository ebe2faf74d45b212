import type { RecordedDefinition } from '@fanfold/document'
import { type DocumentKey, documentName } from '@fanfold/protocol'
import type { AuthorityContext } from './authority-context.ts'
import type { CommittedDocument } from './committed-document.ts'
import type { LoadedDefinition } from './loaded-definition.ts'
import type { WriteProblem } from './write-problem.ts'

/** A definition that was loaded, and what a log said when it said the same. */
export type TakenDefinition = {
  readonly loaded: LoadedDefinition
  readonly said: RecordedDefinition | undefined
}

/**
 * Under which definition a document stands: the one that was loaded last, once its log says so, or
 * the one before while the log does not say so yet, or cannot.
 */
export class DefinitionStanding {
  readonly #type: string
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  /** The log says what this one asks for, as long as it says nothing else. */
  #taken: TakenDefinition | undefined
  /** The document cannot take this one. */
  #refused: { readonly loaded: LoadedDefinition; readonly problem: WriteProblem } | undefined
  /** Whether the log is to be told without waiting for a write. */
  isWanted = false

  constructor(options: {
    readonly doc: DocumentKey
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
    /** The one that was in force before, if one was. */
    readonly taken: TakenDefinition | undefined
  }) {
    this.#type = documentName(options.doc).type
    this.#context = options.context
    this.#committed = options.committed
    this.#taken = options.taken
  }

  /** The one that the log says is in force; one that it has said another thing after is not. */
  get taken(): TakenDefinition | undefined {
    return this.#taken?.said === this.#committed.definition ? this.#taken : undefined
  }

  /** True when the document could not take a definition: that is not to be forgotten. */
  get isRefused(): boolean {
    return this.#refused !== undefined
  }

  /** The definition that the log is to tell of before anything else happens to the document. */
  get due(): LoadedDefinition | undefined {
    const loaded = this.#context.loadedFor(this.#type)
    if (loaded === undefined || loaded === this.#refused?.loaded) return undefined
    if (loaded === this.taken?.loaded) return undefined
    // A document that does not exist tells of it when it is created.
    if (this.#committed.state === undefined) return undefined
    if (!loaded.isSaidBy(this.#committed.definition)) return loaded
    this.take(loaded)
    this.#committed.shareLabels(loaded.labels)
    return undefined
  }

  /** The definition whose handlers run. */
  get inForce(): LoadedDefinition | undefined {
    const loaded = this.#context.loadedFor(this.#type)
    if (loaded === undefined) return undefined
    const isInForce = loaded !== this.#refused?.loaded && this.due === undefined
    return isInForce ? loaded : this.taken?.loaded
  }

  /** Why no definition is in force although one is loaded. */
  get problem(): WriteProblem | undefined {
    const loaded = this.#context.loadedFor(this.#type)
    return loaded !== undefined && loaded === this.#refused?.loaded
      ? this.#refused.problem
      : undefined
  }

  /** The log says what this one asks for. */
  take(loaded: LoadedDefinition): void {
    this.#taken = { loaded, said: this.#committed.definition }
  }

  /** The document goes on as it is until another definition is loaded. */
  refuse(loaded: LoadedDefinition, problem: WriteProblem): void {
    this.#refused = { loaded, problem }
  }
}
