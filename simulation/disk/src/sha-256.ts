import { hash } from 'node:crypto'
import { type Sha256, sha256Bytes } from '@fanfold/kernel'

/** SHA-256 of the machine. */
export const sha256: Sha256 = (input, target, offset) => {
  const digest = hash('sha256', input, 'binary')
  for (let index = 0; index < sha256Bytes; index++) {
    target[offset + index] = digest.charCodeAt(index)
  }
}
