/*
 * What happens to nodes, to their clocks and to their disks. A fault lasts from `atMs` for `forMs`, and
 * what it did to its node is over then: who is gone by it starts again.
 */

type Lasting = { readonly node: string; readonly atMs: number; readonly forMs: number }

/** What a machine does or takes in, and how often: the moment at which something goes wrong. */
export type Moment = {
  readonly side: 'before' | 'after'
  /** The kind of an input or of an effect. */
  readonly what: string
  /** The which one it is, from 1 on. */
  readonly count: number
}

/** What happens to the process of a node. */
export type ProcessFault =
  /** It is gone at this moment, and what it had in memory with it. */
  | (Lasting & { readonly kind: 'crash' })
  /** It tells those below it, and goes in good order. */
  | (Lasting & { readonly kind: 'drain' })
  /** It crashes amid its work, if it comes to that moment while this lasts. */
  | (Lasting & { readonly kind: 'crash-at' } & Moment)
  /** Nothing is done, as after SIGSTOP: what comes waits, and is taken all at once. */
  | (Lasting & { readonly kind: 'pause' })
  /** Each thing that it does takes so long, one after the other. */
  | (Lasting & { readonly kind: 'slow'; readonly inputMicros: number })

/** What happens to the wall clock of a node; what it waits by is not that. */
export type WallClockFault = Lasting & {
  readonly kind: 'wall-clock'
  /** It jumps by so much, and back when this is over. */
  readonly byMs: number
  /** And then goes faster by this share, or slower. */
  readonly driftShare: number
}

/** What happens to the disk of a node: the logs of the authority, what a proxy keeps. */
export type DiskFault =
  /** Each operation takes so much longer. */
  | (Lasting & { readonly kind: 'disk-slow'; readonly byMs: number })
  /** There is no room: what would be written is refused. */
  | (Lasting & { readonly kind: 'disk-full' })
  /** No file can be opened: what would be read or written is refused. */
  | (Lasting & { readonly kind: 'no-files' })
  /** What is there cannot be read: each read ends with an error, some after a part of it. */
  | (Lasting & { readonly kind: 'disk-unreadable' })
  /** The log is on another machine, which does not answer; what it is asked it may do all the same. */
  | (Lasting & { readonly kind: 'log-away' })
  /** Syncs fail: a process that cannot know what its disk holds ends. */
  | (Lasting & { readonly kind: 'disk-broken' })

/** What happens to a node. */
export type NodeFault = ProcessFault | WallClockFault | DiskFault
