import { hash } from 'node:crypto'
import { type Sha256, sha256Bytes } from '@fanfold/kernel'

/**
 * SHA-256 by OpenSSL.
 *
 * The digest comes as a Latin-1 text and is copied character by character: a short text is made on the
 * heap of JavaScript, while a Buffer would be allocated outside of it for each digest.
 */
export const sha256: Sha256 = (input, target, offset) => {
  // `binary` is Node's other name for Latin-1.
  const digest = hash('sha256', input, 'binary')
  for (let index = 0; index < sha256Bytes; index++)
    target[offset + index] = digest.charCodeAt(index)
}
