export { AssertionError, assert, unreachable } from './assert.ts'
export { Backoff, type BackoffOptions } from './backoff.ts'
export { concatBytes, copyBytes, equalBytes, fromHex, toHex } from './bytes.ts'
export { Deadlines } from './deadlines.ts'
export type { EffectSink } from './effect-sink.ts'
export {
  after,
  between,
  type Duration,
  earliest,
  type Instant,
  instant,
  milliseconds,
} from './instant.ts'
export type { Machine } from './machine.ts'
export { Prng } from './prng.ts'
export { BoundedQueue } from './queue.ts'
export type { RandomBytes } from './random-bytes.ts'
export { type Sha256, sha256Bytes } from './sha256.ts'
export { SmallMap } from './small-map.ts'
export { SmallSet } from './small-set.ts'
export { finalize, hashText, type Lanes } from './text-hash.ts'
export { TokenBucket } from './token-bucket.ts'
export { decodeUtf8, encodeUtf8 } from './utf8.ts'
