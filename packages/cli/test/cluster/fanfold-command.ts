/* The command `fanfold` in a process of its own, which ends with this one. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { endWithParent, within } from '@fanfold/nemesis'

/** The compiled command. */
export const program: string = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/** What a command left behind. */
export type CommandResult = {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Runs one command line to its end; `environment` is all that it knows of FANFOLD_ variables. */
export async function runFanfold(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  deadlineMs = 55_000,
): Promise<CommandResult> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, ['--import', endWithParent, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH, HOME, ...environment },
  })
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('its streams are pipes')
  const ended = new Promise<number | null>(resolve => {
    child.once('close', code => resolve(code))
  })
  try {
    const result = Promise.all([ended, text(stdout), text(stderr)])
    const [code, output, errors] = await within(`fanfold ${args[0]} ends`, result, deadlineMs)
    return { code, output, errors }
  } finally {
    child.kill('SIGKILL')
  }
}
