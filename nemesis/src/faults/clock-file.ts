import { join } from 'node:path'

/** Where the offset of a node's clock is kept, below the directory of its stage. */
export const clockFile = (directory: string, node: string): string =>
  join(directory, `${node}.clock`)
