/*
 * A process of clients, seen from the command: it says where it stands, and does what it is asked.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Cleanups } from '../processes/cleanups.ts'
import { until } from '../until.ts'
import type { ClientArguments, ClientReport, ClientRequest } from './client-messages.ts'

/** Lines of trouble that are kept. */
const errorLengthMax = 4_000

/** Clients of one kind in one process, which ends with this one. */
export class ClientProcess<Settings, State> {
  readonly #child: ChildProcess
  readonly #program: string
  #report: ClientReport<State> | undefined
  #requests = 0
  #errors = ''
  #hasEnded = false

  /**
   * Starts it.
   *
   * @param options.program the name of the compiled program beside this file
   * @param options.wrapper programs that start the next one, with their arguments
   * @param options.file where its history goes
   */
  constructor(options: {
    readonly program: string
    readonly wrapper: readonly string[]
    readonly settings: Settings
    readonly file: string
    readonly cleanups: Cleanups
  }) {
    const { program, wrapper, settings, file, cleanups } = options
    this.#program = program
    const given: ClientArguments<Settings> = { settings, file }
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
    const line = [...wrapper, process.execPath, path, JSON.stringify(given)]
    const [command = process.execPath, ...rest] = line
    const { PATH = '', HOME = '' } = process.env
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH, HOME },
    })
    this.#child.on('message', (report: ClientReport<State>) => {
      this.#report = report
    })
    this.#child.stderr?.on('data', chunk => {
      this.#errors = `${this.#errors}${chunk}`.slice(-errorLengthMax)
    })
    const end = (): void => {
      this.#hasEnded = true
    }
    this.#child.once('exit', end)
    this.#child.once('error', end)
    cleanups.add(() => this.#child.kill('SIGKILL'))
  }

  /** Where it stood a moment ago; undefined before it said so first. */
  get state(): State | undefined {
    return this.#report?.state
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Ends it at once, for good. */
  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** Waits until something holds of where it stands. */
  async until(what: string, holds: (state: State) => boolean, deadlineMs?: number): Promise<State> {
    let last: State | undefined
    const check = (): boolean => {
      this.#mustRun()
      last = this.#report?.state
      return last !== undefined && holds(last)
    }
    await until(what, check, deadlineMs).catch(error => {
      throw new Error(`${error.message}: ${JSON.stringify(last)?.slice(0, 1_000)}`)
    })
    return last as State
  }

  /** Asks for something; where it stands after that. */
  async ask(kind: ClientRequest['kind'], deadlineMs?: number): Promise<State> {
    this.#mustRun()
    const request: ClientRequest = { kind }
    const answer = ++this.#requests
    this.#child.send(request)
    const isAnswered = (): boolean => {
      this.#mustRun()
      return (this.#report?.answers ?? 0) >= answer
    }
    await until(`${this.#program} answers ${kind}`, isAnswered, deadlineMs)
    return this.#report?.state as State
  }

  #mustRun(): void {
    if (this.#hasEnded) throw new Error(`${this.#program} has ended: ${this.#errors}`)
  }
}
