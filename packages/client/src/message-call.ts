import type { DocumentDefinition, MessageName, MessageValue } from '@fanfold/definition'
import type { SendOptions } from './connection.ts'

/**
 * What `send` takes after the document: a message's name, its value, options. One tuple for each
 * message of the definition, so that the name decides what the value may be.
 */
export type MessageCall<Definition extends DocumentDefinition> = {
  [Name in MessageName<Definition>]: [
    message: Name,
    value: MessageValue<Definition, Name>,
    options?: SendOptions,
  ]
}[MessageName<Definition>]
