import type { EdgeDefinition } from '@fanfold/definition'

/** The rules of one edge variant, made ready to be asked about places. */
export class ViewRules {
  readonly definition: EdgeDefinition

  constructor(definition: EdgeDefinition) {
    this.definition = definition
  }
}
