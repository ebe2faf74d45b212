/** Bytes of a SHA-256 digest. */
export const sha256Bytes = 32

/**
 * SHA-256, handed to pure code by its driver: writes the digest of `input` to `target` at `offset`.
 *
 * It writes in place because a proxy hashes three times per record: an array per digest would cost
 * more than the hash. `target` may be `input`: the digest is written when all of it has been read.
 */
export type Sha256 = (input: Uint8Array, target: Uint8Array, offset: number) => void
