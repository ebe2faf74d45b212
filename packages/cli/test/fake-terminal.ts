/* A terminal that is not there: what was written is kept, and time passes when it is waited for. */
import type { Clock, Terminal } from '../src/terminal.ts'

/** A clock of its own: a wait moves it on at once. */
export class VirtualClock implements Clock {
  nowMs = 0
  readonly waits: number[] = []

  now(): number {
    return this.nowMs
  }

  wallClock(): number {
    return 1_795_000_000_000 + this.nowMs
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    // Others have their turn first, as they do while a real clock runs.
    await new Promise(resolve => setImmediate(resolve))
    if (signal?.aborted === true) return
    this.waits.push(ms)
    this.nowMs += ms
  }
}

/** A terminal for one call of the command. */
export class FakeTerminal implements Terminal {
  stdout = ''
  stderr = ''
  readonly exits: number[] = []
  readonly interruption = new AbortController()
  readonly environment: Record<string, string | undefined>
  readonly directory: string
  readonly clock: Clock
  readonly logs: Terminal['logs']
  readonly user: string | undefined
  readonly #input: string
  readonly #typed: string[]
  readonly #hangups: (() => void)[] = []

  constructor(
    options: {
      readonly user?: string
      readonly logs?: Terminal['logs']
      /** Lines that a person types, when asked; none where nobody is there. */
      readonly typed?: readonly string[]
      readonly environment?: Record<string, string | undefined>
      readonly directory?: string
      readonly clock?: Clock
      readonly input?: string
    } = {},
  ) {
    this.environment = options.environment ?? {}
    this.directory = options.directory ?? '/nowhere'
    this.clock = options.clock ?? new VirtualClock()
    this.user = options.user
    this.logs = options.logs
    this.#typed = [...(options.typed ?? [])]
    this.#input = options.input ?? ''
  }

  readonly out = {
    isTerminal: false,
    write: async (text: string): Promise<void> => {
      this.stdout += text
    },
  }

  readonly err = {
    isTerminal: false,
    write: async (text: string): Promise<void> => {
      this.stderr += text
    },
  }

  get interrupted(): AbortSignal {
    return this.interruption.signal
  }

  async readInput(): Promise<string> {
    return this.#input
  }

  async readLine(): Promise<string | undefined> {
    return this.#typed.shift()
  }

  onHangup(hungUp: () => void): void {
    this.#hangups.push(hungUp)
  }

  /** Hangs up, as a closed terminal or `kill -HUP` does. */
  hangUp(): void {
    for (const hungUp of this.#hangups) hungUp()
  }

  exit(code: number): void {
    this.exits.push(code)
  }
}
