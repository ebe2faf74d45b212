import {
  LastingTrouble,
  type TroubleEffect,
  type TroubleFields,
  type TroubleInput,
} from './lasting-trouble.ts'
import type { Log } from './logging.ts'
import { MachineDriver } from './machine-driver.ts'

/** What the lines of one trouble are called and say. */
export type TroubleWords = {
  /** Of the line at its beginning, and of those while it lasts. */
  readonly event: string
  readonly message: string
  /** Of the line when it is over. */
  readonly overEvent: string
  readonly overMessage: string
}

/** Logs one trouble of a node: when it begins, once a minute while it lasts, and when it is over. */
export class TroubleLog {
  readonly #machine = new LastingTrouble()
  readonly #driver: MachineDriver<TroubleInput, TroubleEffect>
  readonly #log: Log
  readonly #words: TroubleWords

  constructor(options: {
    readonly log: Log
    readonly words: TroubleWords
    readonly fail: (error: unknown) => void
  }) {
    this.#log = options.log
    this.#words = options.words
    this.#driver = new MachineDriver<TroubleInput, TroubleEffect>({
      machine: this.#machine,
      perform: effect => this.#tell(effect),
      fail: options.fail,
    })
  }

  /** It is met, once more. */
  met(fields: TroubleFields): void {
    this.#driver.submit({ kind: 'met', fields })
  }

  /** What it stands in the way of has gone well; costs nothing while there is no trouble. */
  wentWell(): void {
    if (this.#machine.isOn) this.#driver.submit({ kind: 'went-well' })
  }

  /** Tells nothing any more. */
  close(): void {
    this.#driver.close()
  }

  #tell(effect: TroubleEffect): void {
    const { event, message, overEvent, overMessage } = this.#words
    switch (effect.kind) {
      case 'begins':
        this.#log.error({ ...effect.fields, event }, message)
        return
      case 'lasts':
        this.#log.error({ ...effect.fields, event, count: effect.count }, message)
        return
      case 'ends': {
        const { count, lasted } = effect
        this.#log.info(
          { event: overEvent, count, lastedMs: Math.round(lasted / 1000) },
          overMessage,
        )
      }
    }
  }
}
