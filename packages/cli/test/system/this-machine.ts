import { accessSync, constants } from 'node:fs'
import type { Machine } from './system-program.ts'

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  environment: process.env,
  isRoot: process.getuid?.() === 0,
  isProgram: path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  },
}
