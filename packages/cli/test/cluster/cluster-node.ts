/*
 * One node as a process of its own. It ends with the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { endWithParent, until, within } from '@fanfold/nemesis'
import { program } from './fanfold-command.ts'

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A line of a node's log. */
export type LogLine = { readonly event?: string; readonly [field: string]: unknown }

/** What starts a node. */
export type NodeCommand = {
  readonly name: string
  /** Programs that start the next one, such as strace, with their arguments. */
  readonly wrapper?: readonly string[] | undefined
  readonly nodeArguments?: readonly string[] | undefined
  readonly arguments: readonly string[]
  /** `PATH` and `HOME` are those of this process, unless they are here. */
  readonly environment: Readonly<Record<string, string>>
  /** The working directory; that of this process when left out. */
  readonly directory?: string | undefined
}

/** Lines kept of a node's log and of its standard error, each. */
const linesMax = 10_000

/** A node that was started. */
export class ClusterNode {
  readonly name: string
  /** What it logged so far. */
  readonly log: LogLine[] = []
  /** The same as it came, byte for byte. */
  readonly output: string[] = []
  /** What it wrote to standard error so far. */
  readonly errors: string[] = []
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #exit: Exit | undefined
  #port = 0
  #adminPort = 0
  #isTls = false

  private constructor(command: NodeCommand) {
    const { name, wrapper = [], nodeArguments = [], environment } = command
    this.name = name
    const line = [
      ...wrapper,
      process.execPath,
      '--enable-source-maps',
      '--import',
      endWithParent,
      ...nodeArguments,
      program,
      ...command.arguments,
    ]
    const [file = process.execPath, ...rest] = line
    const { PATH = '', HOME = '' } = process.env
    this.#child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH, HOME, ...environment },
      cwd: command.directory,
    })
    this.exited = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => {
        this.#exit = { code, signal }
        resolve(this.#exit)
      })
    })
    const { stdout, stderr } = this.#child
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', text => this.#take(text))
    }
    if (stderr !== null) {
      createInterface({ input: stderr }).on('line', text => keep(this.errors, text))
    }
  }

  /** Starts a node and waits until it listens. */
  static async start(command: NodeCommand): Promise<ClusterNode> {
    const node = new ClusterNode(command)
    try {
      await until(
        `${node.name} listens`,
        () => {
          if (node.#exit !== undefined) throw new Error(`it ended with ${node.#exit.code}`)
          return node.#port > 0
        },
        30_000,
      )
      return node
    } catch (cause) {
      await node.kill()
      throw new Error(`${node.name} did not start: ${node.errors.join('\n')}`, { cause })
    }
  }

  get port(): number {
    return this.#port
  }

  get adminPort(): number {
    return this.#adminPort
  }

  get url(): string {
    return `${this.#isTls ? 'wss' : 'ws'}://127.0.0.1:${this.#port}`
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.#adminPort}`
  }

  get httpUrl(): string {
    return `${this.#isTls ? 'https' : 'http'}://127.0.0.1:${this.#port}`
  }

  get isRunning(): boolean {
    return this.#exit === undefined
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Waits until it has logged an event so often. */
  async untilLogged(event: string, times = 1): Promise<void> {
    const count = (): number => this.log.filter(line => line.event === event).length
    await until(`${this.name} logs ${event}`, () => count() >= times)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it in good order; how it ended. */
  async stop(): Promise<Exit> {
    this.#child.kill('SIGTERM')
    try {
      return await within(`${this.name} ends`, this.exited)
    } catch (error) {
      this.#child.kill('SIGKILL')
      throw error
    }
  }

  /** Ends it at once, whatever it was wrapped in. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    this.#child.stdio[3]?.destroy()
    return await this.exited
  }

  #take(text: string): void {
    keep(this.output, text)
    let line: LogLine
    try {
      line = JSON.parse(text)
    } catch {
      keep(this.errors, text)
      return
    }
    keep(this.log, line)
    if (line.event !== 'node.started') return
    this.#port = Number(line['port'])
    this.#adminPort = Number(line['adminPort'])
    this.#isTls = line['isTls'] === true
  }
}

function keep<Line>(lines: Line[], line: Line): void {
  lines.push(line)
  if (lines.length > linesMax) lines.shift()
}
