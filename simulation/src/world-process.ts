/*
 * A process beside this one that runs worlds. A world that ends its process, or does not end by
 * itself, costs nothing but its own outcome: the next one gets another process.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { brokenOutcome, type Outcome, type Task } from './run-world.ts'

/** Longer than any world takes on a slow machine, run twice. */
export const worldMaxMsDefault = 300_000
/** How often it is looked, in that time, whether a world has ended. */
const watchLooks = 100

/**
 * What lives no longer than an event is soon dropped: with more room for it, MiB, less is copied. There is
 * a process for each core: threads that collect beside it are in another one's way.
 */
const youngRoom = ['--min-semi-space-size=16', '--max-semi-space-size=64', '--single-threaded-gc']

/** How worlds are run beside this process. */
export type WorldProcessOptions = {
  /** Time of this process after which a world is ended that has not ended by itself, ms, 100 or more. */
  readonly worldMaxMs?: number | undefined
  /** What Node itself is told; as this process was, with more room, when undefined. */
  readonly execArgv?: readonly string[] | undefined
}

/** One process at a time, made again when it has ended. */
export class WorldProcess {
  readonly #worldMaxMs: number
  readonly #execArgv: readonly string[]
  #child: ChildProcess | undefined

  constructor({
    worldMaxMs = worldMaxMsDefault,
    execArgv = [...youngRoom, ...process.execArgv],
  }: WorldProcessOptions = {}) {
    this.#worldMaxMs = worldMaxMs
    this.#execArgv = execArgv
  }

  /** Runs a world; whatever becomes of it is its outcome. */
  run(task: Task): Promise<Outcome> {
    const child = this.#child ?? this.#start()
    return new Promise(resolve => {
      const settle = (outcome: Outcome): void => {
        clearInterval(watch)
        child.off('message', settle).off('exit', fail).off('error', failToStart)
        resolve(outcome)
      }
      const fail = (code: number | null, signal: string | null): void => {
        settle(brokenOutcome(task, `its process ended by ${signal ?? code}`))
      }
      const failToStart = ({ message }: Error): void => {
        this.close()
        settle(brokenOutcome(task, `no process runs it: ${message}`))
      }
      // A campaign that was stopped for a while, and goes on, has not waited meanwhile.
      let left = watchLooks
      const watch = setInterval(() => {
        if (--left > 0) return
        this.close()
        settle(brokenOutcome(task, `it did not end within ${this.#worldMaxMs} ms`))
      }, this.#worldMaxMs / watchLooks)
      child.once('message', settle).once('exit', fail).once('error', failToStart)
      child.send(task)
    })
  }

  #start(): ChildProcess {
    const program = new URL('world-child.js', import.meta.url)
    const child = fork(program, { execArgv: [...this.#execArgv] })
    this.#child = child
    return child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
  }

  /** Ends the process, whatever it is at. */
  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}
