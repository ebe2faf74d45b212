/*
 * One node of a fleet as a process, or some that share one. It ends with the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until, within } from '../until.ts'

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A line of a node's log. */
export type LogLine = { readonly event?: string; readonly [field: string]: unknown }

/** Where a node listens. */
export type NodePorts = { readonly port: number; readonly adminPort: number }

/** What starts a node. */
export type NodeCommand = {
  readonly name: string
  /** The program with its arguments, where it is not `fanfold serve`. */
  readonly program?: readonly string[] | undefined
  /** The nodes in it, where there are more than the one that it is named for. */
  readonly nodes?: readonly string[] | undefined
  /** Programs that start the next one, such as strace, with their arguments. */
  readonly wrapper: readonly string[]
  /** All that it knows of FANFOLD_ variables, and others. */
  readonly environment: Readonly<Record<string, string>>
  /** Where its log goes. */
  readonly logFile: string
}

const serve = [fileURLToPath(new URL('./main.js', import.meta.resolve('@fanfold/cli'))), 'serve']
/** Loaded into a process (`--import`) that gets a pipe as file descriptor 3: it ends with who holds that. */
export const endWithParent: string = fileURLToPath(new URL('./end-with-parent.js', import.meta.url))
/** Longest time from the start of a process until it listens, and more for each further node in it, ms. */
const startMsMax = 30_000
const nodeStartMsMax = 3_000
/** Lines of its log that are kept in memory; the file has all. */
const linesMax = 5_000

/** A node that was started. */
export class NodeProcess {
  readonly name: string
  /** The latest lines of its log. */
  readonly log: LogLine[] = []
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  /** True when its parent is strace, and not the process that was spawned. */
  readonly #isTraced: boolean
  readonly #file: WriteStream
  readonly #ports = new Map<string, NodePorts>()
  #exit: Exit | undefined
  #lastErrors = ''

  private constructor({ name, program = serve, wrapper, environment, logFile }: NodeCommand) {
    this.name = name
    this.#isTraced = wrapper.includes('strace')
    this.#file = createWriteStream(logFile, { flags: 'a' })
    const line = [...wrapper, process.execPath, '--import', endWithParent, ...program]
    const [file = process.execPath, ...rest] = line
    const { PATH = '', HOME = '' } = process.env
    this.#child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { PATH, HOME, ...environment },
    })
    this.exited = new Promise(resolve => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#exit ??= { code, signal }
        this.#file.end()
        resolve(this.#exit)
      }
      this.#child.once('exit', end)
      this.#child.once('error', error => {
        this.#lastErrors = error.message
        end(null, null)
      })
    })
    const { stdout, stderr } = this.#child
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', text => this.#take(text))
    }
    stderr?.on('data', chunk => {
      this.#lastErrors = `${this.#lastErrors}${chunk}`.slice(-2_000)
      if (!this.#file.writableEnded) this.#file.write(chunk)
    })
  }

  /** Starts a node and waits until it listens. */
  static async start(command: NodeCommand): Promise<NodeProcess> {
    const node = new NodeProcess(command)
    const { nodes = [command.name] } = command
    const isListening = (): boolean => {
      if (node.#exit !== undefined) throw new Error(`it ended with ${node.#exit.code}`)
      return nodes.every(name => node.#ports.has(name))
    }
    try {
      const deadlineMs = startMsMax + (nodes.length - 1) * nodeStartMsMax
      await until(`${node.name} listens`, isListening, deadlineMs)
      return node
    } catch (cause) {
      await node.kill()
      throw new Error(`${node.name} did not start: ${node.#lastErrors}`, { cause })
    }
  }

  get port(): number {
    return this.portsOf(this.name).port
  }

  get adminPort(): number {
    return this.portsOf(this.name).adminPort
  }

  /** Where a node in it listens. */
  portsOf(name: string): NodePorts {
    return this.#ports.get(name) ?? { port: 0, adminPort: 0 }
  }

  get isRunning(): boolean {
    return this.#exit === undefined
  }

  /** The process of the node itself, whatever it is wrapped in. */
  get pid(): number {
    const { pid = 0 } = this.#child
    return this.#isTraced ? (firstChild(pid) ?? pid) : pid
  }

  /** The end of what it wrote to standard error. */
  get lastErrors(): string {
    return this.#lastErrors
  }

  /** How often it has logged an event, as far as lines are kept. */
  logged(event: string): number {
    return this.log.filter(line => line.event === event).length
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) signalIfThere(this.pid, signal)
  }

  /** Ends it in good order; how it ended. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM')
    try {
      return await within(`${this.name} ends`, this.exited, 15_000)
    } catch {
      return await this.kill()
    }
  }

  /** Ends it at once, whatever it is wrapped in. */
  async kill(): Promise<Exit> {
    this.killNow()
    return await this.exited
  }

  /** The same without waiting. */
  killNow(): void {
    if (!this.isRunning) return
    signalIfThere(this.pid, 'SIGKILL')
    this.#child.stdio[3]?.destroy()
    this.#child.kill('SIGKILL')
  }

  #take(text: string): void {
    if (!this.#file.writableEnded) this.#file.write(`${text}\n`)
    let line: LogLine
    try {
      line = JSON.parse(text)
    } catch {
      return
    }
    this.log.push(line)
    if (this.log.length > linesMax) this.log.shift()
    if (line.event !== 'node.started') return
    const { node, port, adminPort } = line
    this.#ports.set(String(node), { port: Number(port), adminPort: Number(adminPort) })
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

function firstChild(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return children === '' ? undefined : Number(children.split(' ')[0])
  } catch {
    return undefined
  }
}
