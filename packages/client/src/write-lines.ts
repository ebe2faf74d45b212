/*
 * The sockets that messages go out on: one to the home endpoints, opened by the first message, and one
 * to each node that a document turned out to be owned by.
 */
import type { WriterFrame } from '@fanfold/protocol'
import { asMoveTarget, type Endpoint } from './endpoint.ts'
import { FanfoldError, Unauthorized } from './fanfold-error.ts'
import { decodeWriterFrame } from './frame-decoder.ts'
import { Line, type LineOptions } from './line.ts'
import { movedFailuresMax } from './observe-lines.ts'
import { Outbox, type OutboxOptions } from './outbox.ts'

/** Sockets to write on, of one connection at most; a move beyond is not followed. */
const linesMax = 16

/** What write lines are made of. */
export type WriteLinesOptions = {
  readonly home: readonly Endpoint[]
  readonly lineOptions: LineOptions
  readonly outbox: Omit<OutboxOptions, 'transmit'>
  /** After so long without messages the lines are closed, ms. */
  readonly idleCloseMs: number
  readonly report: (error: FanfoldError) => void
  /** There is no token, and there will be none. */
  readonly unauthorized: (error: FanfoldError) => void
  /** A line opened or was lost. */
  readonly changed: () => void
}

/** The sockets of one connection that messages are sent on. */
export class WriteLines {
  readonly #options: WriteLinesOptions
  readonly #lines = new Map<Endpoint | undefined, Line>()
  /** The messages that are not answered yet. */
  readonly outbox: Outbox
  #cancelIdle: () => void = () => undefined

  constructor(options: WriteLinesOptions) {
    this.#options = options
    this.outbox = new Outbox({
      ...options.outbox,
      transmit: (to, text) => this.#transmit(to, text),
    })
  }

  /** Whether each line is open. */
  get areOpen(): readonly boolean[] {
    return [...this.#lines.values()].map(line => line.isOpen)
  }

  /** Ends all lines; messages that wait fail with `error`. */
  close(error: FanfoldError): void {
    this.outbox.close(error)
    this.#closeLines()
  }

  #transmit(to: Endpoint | undefined, text: string): boolean {
    this.#cancelIdle()
    const line = this.#lines.get(to) ?? this.#create(to)
    line.open()
    line.sendText(text)
    return line.isOpen
  }

  #create(to: Endpoint | undefined): Line {
    const line = new Line(
      this.#options.lineOptions,
      {
        endpoints: to === undefined ? this.#options.home : [to],
        path: '/v1/write',
        failuresMax: to === undefined ? undefined : movedFailuresMax,
      },
      {
        opened: () => {
          this.outbox.opened(to)
          this.#options.changed()
        },
        received: text => this.#received(line, to, text),
        lost: () => {
          this.outbox.lost(to)
          this.#options.changed()
        },
        failed: error => this.#failed(to, error),
        troubled: error => this.#options.report(error),
      },
    )
    this.#lines.set(to, line)
    return line
  }

  #received(line: Line, to: Endpoint | undefined, text: string): void {
    let frame: WriterFrame | undefined
    try {
      frame = decodeWriterFrame(text)
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error
      line.abandon(error)
      return
    }
    switch (frame?.type) {
      case 'committed':
      case 'rejected':
        this.outbox.receive(frame)
        this.#closeWhenIdle()
        break
      case 'moved':
        this.#move(frame.doc, to, frame.to)
        break
      case 'refused':
        this.#options.report(new FanfoldError(frame.code, frame.message))
        break
    }
  }

  #move(doc: string, by: Endpoint | undefined, to: string): void {
    const target = asMoveTarget(to, this.#options.home)
    if (target === undefined) {
      this.#options.report(new FanfoldError('FANFOLD_BAD_FRAME', `a move to ${to}`, { doc }))
    } else if (!this.#lines.has(target) && this.#lines.size >= linesMax) {
      const message = `at most ${linesMax} sockets`
      this.#options.report(new FanfoldError('FANFOLD_TOO_MANY_LINES', message, { doc }))
    } else {
      this.outbox.move(doc, by, target)
    }
  }

  #failed(to: Endpoint | undefined, error: FanfoldError): void {
    this.#lines.delete(to)
    if (to !== undefined && error.code === 'FANFOLD_UNREACHABLE') {
      this.outbox.forget(to)
      this.#options.report(error)
    } else if (error instanceof Unauthorized) {
      this.#options.unauthorized(error)
    } else {
      this.outbox.fail(to, error)
      this.#options.report(error)
    }
    this.#options.changed()
  }

  #closeWhenIdle(): void {
    if (!this.outbox.isEmpty) return
    const { idleCloseMs, lineOptions } = this.#options
    this.#cancelIdle()
    this.#cancelIdle = lineOptions.environment.setTimer(() => this.#closeLines(), idleCloseMs)
  }

  #closeLines(): void {
    this.#cancelIdle()
    for (const line of this.#lines.values()) line.close()
    this.#lines.clear()
    this.#options.changed()
  }
}
