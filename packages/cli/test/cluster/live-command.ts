import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { endWithParent, program } from './fanfold-command.ts'
import { until } from './until.ts'

/** A line of what the command writes with --json. */
export type Line = Readonly<Record<string, unknown>>

/** The command `fanfold` as it runs, in whatever it is wrapped, until the test ends. */
export class Command {
  readonly #lines: Line[] = []
  readonly #errors: string[] = []

  private constructor(child: ChildProcess) {
    const { stdout, stderr } = child
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', text => this.#lines.push(JSON.parse(text)))
    }
    stderr?.on('data', chunk => this.#errors.push(String(chunk)))
  }

  /** Starts it. */
  static start(
    t: Test,
    command: {
      /** Programs that start the next one, with their arguments. */
      readonly wrapper: readonly string[]
      readonly url: string
      readonly token: string
      readonly args: readonly string[]
    },
  ): Command {
    const [file = '', ...before] = command.wrapper
    const { PATH = '' } = process.env
    const child = spawn(
      file,
      [...before, process.execPath, '--import', endWithParent, program, ...command.args],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: { PATH, FANFOLD_URL: command.url, FANFOLD_TOKEN: command.token },
      },
    )
    t.teardown(() => child.kill('SIGKILL'))
    return new Command(child)
  }

  /** Waits until it has written a line that fits. */
  async untilLine(fits: (line: Line) => boolean): Promise<void> {
    await until('the command writes a line', () => this.#lines.some(fits)).catch(error => {
      throw new Error(`${error.message}: ${this.#errors.join('')}`)
    })
  }
}
