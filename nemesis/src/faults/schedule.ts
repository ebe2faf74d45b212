/** The faults that a schedule may name, and what each one takes; times are ms. */
export type FaultArguments = {
  /** kill -9; started again after `downMs`. */
  readonly kill: { readonly node: string; readonly downMs: number }
  /** SIGSTOP, then SIGCONT. */
  readonly pause: { readonly node: string; readonly ms: number }
  /** Nothing passes between two nodes: both ways, or only to `node` (`in`), or only from it (`out`). */
  readonly cut: {
    readonly node: string
    readonly other: string
    readonly way: 'both' | 'in' | 'out'
    readonly ms: number
  }
  /** The cable is out: half-open connections at both ends. */
  readonly unplug: { readonly node: string; readonly ms: number }
  /** Unplugged and plugged in, again and again. */
  readonly flap: {
    readonly node: string
    readonly upMs: number
    readonly downMs: number
    readonly ms: number
  }
  /** Everybody who sends to a node is reset. */
  readonly reset: { readonly node: string; readonly ms: number }
  /** All connections of a node are ended once. */
  readonly break: { readonly node: string }
  /** New connections are refused. */
  readonly refuse: { readonly node: string; readonly ms: number }
  /** New connections get no answer. */
  readonly 'black-hole': { readonly node: string; readonly ms: number }
  /** Of the packets to a node, a share is lost. */
  readonly loss: { readonly node: string; readonly share: number; readonly ms: number }
  /** Of the packets that leave a node, a share goes by a way of this rate, and is overtaken. */
  readonly reorder: {
    readonly node: string
    readonly share: number
    readonly rate: string
    readonly ms: number
  }
  /** What leaves a node leaves slowly. */
  readonly slow: { readonly node: string; readonly rate: string; readonly ms: number }
  /** Everything loses power, and is started again; logs are cut behind what somebody was told. */
  readonly 'power-loss': { readonly downMs: number }
  /** A node gets this share of one processor. */
  readonly starve: { readonly node: string; readonly percent: number; readonly ms: number }
  /** A node may take so much more memory: the kernel ends it; started again after `downMs`. */
  readonly exhaust: { readonly node: string; readonly roomBytes: number; readonly downMs: number }
  /** A node's clock shows another time by so many seconds; 0 for the right one. */
  readonly clock: { readonly node: string; readonly offsetSeconds: number }
  /** A node's disk has no room left. */
  readonly 'fill-disk': { readonly node: string; readonly ms: number }
}

/** The name of a fault. */
export type FaultName = keyof FaultArguments

/** One fault at one time after the start, ms. */
export type Step = {
  readonly [Name in FaultName]: {
    readonly atMs: number
    readonly fault: Name
    readonly args: FaultArguments[Name]
  }
}[FaultName]

/** What a nemesis does, in order of time; it is data, and stored with the histories. */
export type Schedule = readonly Step[]

/** How long a fault lasts, ms: after a death, until the process is started again. */
export const durationOf = ({ args }: Step): number =>
  'ms' in args ? args.ms : 'downMs' in args ? args.downMs : 0
