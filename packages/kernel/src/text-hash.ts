/*
 * Sixty-four well-mixed bits of a text, in 32-bit arithmetic that every language has.
 *
 * Two lanes go over the UTF-16 code units side by side: one takes MurmurHash3's step, the other that of
 * xxHash for a single byte, so that what collides in one does not in the other. MurmurHash3's finalizer
 * ends both. Not cryptographic: whoever may choose names can choose who wins.
 */

/** Two lanes of 32 bits. Signed or not does not matter: only their bits are used. */
export type Lanes = { readonly a: number; readonly b: number }

/** The lanes of `text`. */
export function hashText(text: string): Lanes {
  let a = 0x9747b28c
  let b = 0x165667b1
  const { length } = text
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    const stirred = Math.imul(unit, 0xcc9e2d51)
    a ^= Math.imul((stirred << 15) | (stirred >>> 17), 0x1b873593)
    a = Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64
    // One more than the unit: a lane of 0 would not tell how many units of 0 it has seen.
    b = (b + Math.imul(unit + 1, 0x165667b1)) | 0
    b = Math.imul((b << 11) | (b >>> 21), 0x9e3779b1)
  }
  return { a: finalize(a ^ length), b: finalize(b ^ length) }
}

/** MurmurHash3's finalizer: each bit of `lane` changes each bit of the outcome half of the time. */
export function finalize(lane: number): number {
  let mixed = lane ^ (lane >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
