/*
 * Some numbers of the protocol's table of limits. The table itself, with its sentences, would be a
 * twentieth of the client: these are copies, which do not compile when they are not exactly the table's.
 */
import type { limits } from '@fanfold/protocol'

type Value<Name extends keyof typeof limits> = (typeof limits)[Name]['value']

/** The id of a message, bytes. */
export const idempotencyIdBytesMax: Value<'idempotencyIdBytesMax'> = 128
/** A frame that carries a message, bytes. */
export const writeFrameBytesMax: Value<'writeFrameBytesMax'> = 1_048_576
/** A frame to observe by, bytes. */
export const observeFrameBytesMax: Value<'observeFrameBytesMax'> = 65_536
/** The name of a reducer, bytes. */
export const reducerNameBytesMax: Value<'reducerNameBytesMax'> = 80
