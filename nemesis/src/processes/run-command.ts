import { spawnSync } from 'node:child_process'

/** Longest time that a short command of the system takes, ms. */
const commandMsMax = 20_000

/**
 * Runs a short command of the system; what it wrote.
 *
 * @throws Error with what it said when it fails
 */
export function runCommand(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: commandMsMax,
  })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** The same for what may fail, as it undoes what may be undone already. */
export function tryCommand(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: commandMsMax }).status === 0
}
