import { type DocumentKey, documentName, type ErrorCode } from '@fanfold/protocol'

/** Why something does not happen to a document; its state is as before. */
export type WriteProblem = { readonly code: ErrorCode; readonly message: string }

/** The document is not there, and this write may not begin it. */
export const noDocument = (doc: DocumentKey): WriteProblem => ({
  code: 'FANFOLD_NO_DOCUMENT',
  message: `${doc} does not exist, and the token does not allow creating it`,
})

/** Nobody knows what documents of this type are. */
export const noDefinition = (doc: DocumentKey): WriteProblem => ({
  code: 'FANFOLD_NO_DEFINITION',
  message: `no definition for documents of type ${documentName(doc).type}`,
})

/** There is nothing to be looked at. */
export const noSuch = (doc: DocumentKey): WriteProblem => ({
  code: 'FANFOLD_NO_DOCUMENT',
  message: `${doc} does not exist`,
})

const codesForNow: readonly ErrorCode[] = [
  'FANFOLD_LOG_FULL',
  'FANFOLD_LOG_UNREADABLE',
  'FANFOLD_LOG_UNREACHABLE',
  'FANFOLD_LOG_LOST',
]

/** Whether it is that the log could not be opened now, or is to be read anew, and may be the next time. */
export const isForNow = (problem: WriteProblem | undefined): boolean =>
  problem !== undefined && codesForNow.includes(problem.code)
