/** How long and how large scenarios are made; where nothing is said, each is as large as it says itself. */
export type Sizes = {
  /** How long scenarios last that last as long as they are told. */
  readonly minutes: number
  /** Rounds of deaths. */
  readonly rounds?: number | undefined
  /** Proxies, all regions together. */
  readonly proxies?: number | undefined
  /** Edges that are processes of their own, all regions together. */
  readonly edges?: number | undefined
  /** Edges that share processes, beside those. */
  readonly hosted?: number | undefined
  readonly viewers?: number | undefined
  /** How many times as fast as it was a recording is replayed. */
  readonly speed?: number | undefined
  /** For how long a server is away, s. */
  readonly awaySeconds?: number | undefined
}
