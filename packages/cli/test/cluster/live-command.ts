import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { endWithParent, until } from '@fanfold/nemesis'
import type { Test } from 'tap'
import { program } from './fanfold-command.ts'

/** A line of what the command writes with --json. */
export type Line = Readonly<Record<string, unknown>>

/** The command `fanfold` as it runs, or another program, in whatever it is wrapped, until the test ends. */
export class Command {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  readonly #errors: string[] = []
  /** The code that it has ended with. */
  readonly exited: Promise<number | null>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.exited = new Promise(resolve => {
      child.once('exit', code => resolve(code))
    })
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
      /** The compiled program; `fanfold` when left out. */
      readonly program?: string | undefined
      readonly args: readonly string[]
    },
  ): Command {
    const { PATH = '' } = process.env
    const main = command.program ?? program
    const node = [process.execPath, '--import', endWithParent, main, ...command.args]
    const [file = process.execPath, ...rest] = [...command.wrapper, ...node]
    const child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH, FANFOLD_URL: command.url, FANFOLD_TOKEN: command.token },
    })
    t.teardown(() => child.kill('SIGKILL'))
    return new Command(child)
  }

  /** What it has written so far. */
  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Waits until it has written a line that fits, `after` so many before it. */
  async untilLine(
    fits: (line: Line) => boolean,
    options: { readonly after?: number; readonly deadlineMs?: number } = {},
  ): Promise<Line> {
    const { after = 0, deadlineMs } = options
    let at = after
    let found: Line | undefined
    const look = (): boolean => {
      while (found === undefined && at < this.#lines.length) {
        const line = this.#lines[at++]
        if (line !== undefined && fits(line)) found = line
      }
      return found !== undefined
    }
    await until('the command writes a line', look, deadlineMs).catch(error => {
      const last = JSON.stringify(this.#lines.at(-1))
      throw new Error(`${error.message}, the last one ${last}: ${this.#errors.join('')}`)
    })
    return found ?? {}
  }

  /** Asks it to end. */
  end(): void {
    this.#child.kill('SIGTERM')
  }
}
