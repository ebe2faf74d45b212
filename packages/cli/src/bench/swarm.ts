/* The processes of viewers, as the command has them. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../command-error.ts'
import type { SwarmAnswer, SwarmLook, SwarmOrder, SwarmSettings } from './swarm-message.ts'
import { type SwarmCounts, sumCounts } from './swarm-tally.ts'
import type { CommittedWrite } from './write-ledger.ts'

const program = fileURLToPath(new URL('./swarm-process.js', import.meta.url))
/** Acknowledged writes are told to the processes together, so often, ms. */
const tellEveryMs = 10

/** Viewers in processes of their own. */
export class Swarm {
  /** Rejects when a process ends that should not. */
  readonly failed: Promise<never>
  readonly #members: ChildProcess[] = []
  readonly #counts = new Map<ChildProcess, SwarmCounts>()
  readonly #waiting = new Map<number, (look: SwarmLook) => void>()
  #committed: CommittedWrite[] = []
  #tellTimer: NodeJS.Timeout | undefined
  #nextId = 1
  #isEnding = false
  #fail: (error: CommandError) => void = () => undefined

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Who waits for something else at that moment hears of it later.
    this.failed.catch(() => undefined)
  }

  /** Starts a process for each of the settings; their viewers connect. */
  open(all: readonly SwarmSettings[]): void {
    for (const settings of all) {
      const member = fork(program, {
        // What this process was started with is no matter of its viewers.
        execArgv: [],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      member.on('message', message => this.#take(member, message as SwarmAnswer))
      member.on('error', error => this.#lose(error.message))
      member.on('exit', (code, signal) => this.#lose(String(signal ?? code)))
      this.#members.push(member)
      this.#tell(member, { kind: 'open', settings })
    }
  }

  /** What they counted, as they last said. */
  get counts(): SwarmCounts {
    return sumCounts([...this.#counts.values()])
  }

  /** Latencies count from now on. */
  measure(): void {
    for (const member of this.#members) this.#tell(member, { kind: 'measure' })
  }

  /** A write of this process is committed. */
  commit(write: CommittedWrite): void {
    this.#committed.push(write)
    this.#tellTimer ??= setTimeout(() => {
      this.#tellTimer = undefined
      this.#tellCommitted()
    }, tellEveryMs)
  }

  /** Where the viewers of each process stand. */
  async look(
    asked: { readonly endSeq?: number; readonly withViews?: boolean } = {},
  ): Promise<readonly SwarmLook[]> {
    const { endSeq = 0, withViews = false } = asked
    this.#tellCommitted()
    const looks = this.#members.map(
      member =>
        new Promise<SwarmLook>(resolve => {
          const id = this.#nextId++
          this.#waiting.set(id, resolve)
          this.#tell(member, { kind: 'look', id, endSeq, withViews })
        }),
    )
    return await Promise.race([Promise.all(looks), this.failed])
  }

  /** Ends the processes, and all connections with them. */
  end(): void {
    this.#isEnding = true
    clearTimeout(this.#tellTimer)
    for (const member of this.#members) if (member.connected) member.disconnect()
  }

  #tellCommitted(): void {
    if (this.#committed.length === 0) return
    const writes = this.#committed
    this.#committed = []
    for (const member of this.#members) this.#tell(member, { kind: 'committed', writes })
  }

  #tell(member: ChildProcess, order: SwarmOrder): void {
    // One that has ended is told of by its exit.
    if (member.connected) member.send(order, () => undefined)
  }

  #take(member: ChildProcess, answer: SwarmAnswer): void {
    switch (answer.kind) {
      case 'counts':
        this.#counts.set(member, answer.counts)
        break
      case 'looked':
        this.#counts.set(member, answer.look.counts)
        this.#waiting.get(answer.id)?.(answer.look)
        this.#waiting.delete(answer.id)
    }
  }

  #lose(how: string): void {
    if (this.#isEnding) return
    this.#fail(new CommandError('FANFOLD_FAILED', `a process of viewers ended with ${how}`))
  }
}
