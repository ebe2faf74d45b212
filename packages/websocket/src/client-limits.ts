/** Limits of one client's connection. */
export type ClientLimits = {
  /** How long a client may take to show a good token, ms. Default 5,000. */
  readonly authenticateMaxMs: number
  /** Frames a client may send in a second, pings among them. Default 100 to observe, 100,000 to write. */
  readonly framesPerSecondMax: number
  /** Frames a client may send at once. Default twice those of a second. */
  readonly framesBurst: number
  /** Tokens that a client may show in a second, and at once: each costs a signature. Default 1 and 10. */
  readonly tokensPerSecondMax: number
  readonly tokensBurst: number
  /** The bad frame that closes the connection. Default the 3rd. */
  readonly badFramesMax: number
  /**
   * Bytes that a client holds at most, past which its requests wait and cohorts' frames are not sent to
   * it: of a viewer, what it has not confirmed, and less when it takes less in a second; of a writer,
   * what waits in this process. Default 256 KiB, at least 16 KiB.
   */
  readonly budgetBytes: number
  /** How long a client that holds too much may take nothing, or confirm nothing, ms. Default 30,000. */
  readonly stallMaxMs: number
  /** A ping goes out when nothing was heard for this long, ms. Default 15,000. */
  readonly pingEveryMs: number
  /** How long a client may be unheard, ms. Default 31,000, two pings. */
  readonly silenceMaxMs: number
}

/** Defaults for connections that observe. */
export const observeLimitsDefault: ClientLimits = {
  authenticateMaxMs: 5_000,
  framesPerSecondMax: 100,
  framesBurst: 200,
  tokensPerSecondMax: 1,
  tokensBurst: 10,
  badFramesMax: 3,
  budgetBytes: 262_144,
  stallMaxMs: 30_000,
  pingEveryMs: 15_000,
  silenceMaxMs: 31_000,
}

/** Defaults for connections that write. */
export const writeLimitsDefault: ClientLimits = {
  ...observeLimitsDefault,
  framesPerSecondMax: 100_000,
  framesBurst: 20_000,
}
