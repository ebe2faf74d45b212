import { relative } from 'node:path'

/** An absolute path as places show it. */
export const shownPath = (path: string): string => relative(process.cwd(), path)
