import type { ViewerRim } from './viewer-rim.ts'

/** Where viewers connect: an edge's rim of now, and the trust ceiling that the edge is behind. */
export type Door = {
  readonly name: string
  readonly rim: ViewerRim
  readonly ceiling: number
}
