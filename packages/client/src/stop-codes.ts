import type { closeCodes, ErrorCode } from '@fanfold/protocol'

type Code<Name extends keyof typeof closeCodes> = (typeof closeCodes)[Name]['code']

// The table itself, with its sentences, would be a twentieth of the client: these are copies, which do
// not compile when they are not exactly the table's.
const badFrame: Code<'bad-frame'> = 4500
const forbidden: Code<'forbidden'> = 4503
const version: Code<'version'> = 4510
const viewDiffers: Code<'view-differs'> = 4511

/** The close code of a token that is not, or no longer, good. */
export const unauthorizedCloseCode: Code<'unauthorized'> = 4501

/** Why a server ended a connection for good, by its close code. */
export const stopCodes: Readonly<Record<number, ErrorCode>> = {
  [badFrame]: 'FANFOLD_BAD_FRAME',
  [forbidden]: 'FANFOLD_FORBIDDEN',
  [version]: 'FANFOLD_VERSION',
  [viewDiffers]: 'FANFOLD_VIEW_DIFFERS',
}
