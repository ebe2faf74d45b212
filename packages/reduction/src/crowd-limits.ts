/** Bounds of what a crowd's messages become on their way up. */
export const crowdLimits = {
  /** Bytes of the sums in one aggregate. */
  contentBytesMax: 262_144,
  /** Sums in one aggregate: of reducers, and of one reducer those that do not fit in one. */
  sumsMax: 256,
  /** Sessions whose windows one aggregate covers. */
  rangesMax: 10_000,
  /** Closed windows of one edge that wait to be counted; what comes then is folded into the open one. */
  closedMax: 4,
  /** Sessions of one document that are open. */
  sessionsMax: 100_000,
  /** Of which so many are left for those to come: beyond, those that were idle for longest are sealed. */
  sessionsSpare: 10_000,
  /** Sessions of one document that are begun a second, over a longer time; `askedMax` at once. */
  sessionsPerSecondMax: 1_000,
  /** Sealed sessions of one document that are remembered; the oldest are forgotten first. */
  sealedMax: 10_000,
  /** Sessions that are asked for at a time. */
  askedMax: 10_000,
  /** What is not answered is said again after so long, ms. */
  resendMs: 5_000,
  /** How long a child is told to wait between two at most, ms. */
  waitMsMax: 10_000,
} as const
