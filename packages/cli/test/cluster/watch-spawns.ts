/*
 * Loaded into a process (`--import`) that must start no other: each one that it starts is a line on its standard error.
 */
import childProcess, { ChildProcess } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'

/** What each line begins with. */
const spawnedMark = 'spawned a process: '

/** The method of every way to start one that does not wait for it. */
const prototype = ChildProcess.prototype as unknown as { spawn(options: { file: string }): unknown }
const { spawn } = prototype
prototype.spawn = function (options) {
  process.stderr.write(`${spawnedMark}${options.file}\n`)
  return spawn.call(this, options)
}

for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
  const before = childProcess[name] as (...args: unknown[]) => unknown
  Object.assign(childProcess, {
    [name]: (...args: unknown[]) => {
      process.stderr.write(`${spawnedMark}${String(args[0])}\n`)
      return before(...args)
    },
  })
}
syncBuiltinESMExports()
