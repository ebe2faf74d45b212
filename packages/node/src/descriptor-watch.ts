/*
 * A process without a file descriptor left turns connections away, and the system tells nobody: neither
 * the process nor whoever dials. So it is tried, once a second, whether one is to be had.
 */
import { close, open } from 'node:fs'
import { devNull } from 'node:os'

/** How often it is tried, ms. */
const everyMs = 1_000

/** Opens a file and closes it again; rejects with the system's error. */
export type TryDescriptor = () => Promise<void>

/** On the machine's own null device: it takes a descriptor and no disk. */
export const tryDescriptor: TryDescriptor = () =>
  new Promise((resolve, reject) => {
    open(devNull, 'r', (error, file) => {
      if (error === null) close(file, () => resolve())
      else reject(error)
    })
  })

/** Looks now and then whether the process could open a file. */
export class DescriptorWatch {
  readonly #tryOne: TryDescriptor
  readonly #found: (isFound: boolean, reason: string) => void
  readonly #timer: NodeJS.Timeout
  #isTrying = false

  /** @param options.found takes what each attempt has shown, with the system's word */
  constructor(options: {
    readonly found: (isFound: boolean, reason: string) => void
    readonly tryOne?: TryDescriptor | undefined
  }) {
    this.#tryOne = options.tryOne ?? tryDescriptor
    this.#found = options.found
    this.#timer = setInterval(() => void this.look(), everyMs)
    this.#timer.unref()
  }

  /** Tries once; one attempt is under way at a time. Never rejects. */
  async look(): Promise<void> {
    if (this.#isTrying) return
    this.#isTrying = true
    try {
      await this.#tryOne()
      this.#found(true, '')
    } catch (error) {
      // Another error says nothing of descriptors.
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EMFILE' || code === 'ENFILE') this.#found(false, code)
    }
    this.#isTrying = false
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
