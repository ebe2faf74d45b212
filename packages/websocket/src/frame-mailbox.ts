/** Frames on their way from a socket's events to code that awaits them one by one. */
export class FrameMailbox {
  #frames: Uint8Array[] = []
  #wanted: Waiter | undefined
  #failure: Error | undefined
  #put = 0

  /** How many frames were put in so far. */
  get putCount(): number {
    return this.#put
  }

  /** Adds a frame; bounding how many is the caller's. */
  put(frame: Uint8Array): void {
    this.#put++
    if (this.#wanted === undefined) {
      this.#frames.push(frame)
      return
    }
    this.#wanted.resolve(frame)
    this.#wanted = undefined
  }

  /** There will be no more frames: whoever waits is told. */
  fail(failure: Error): void {
    this.#failure = failure
    this.#wanted?.reject(failure)
    this.#wanted = undefined
  }

  /** The next frame, once there is one. One caller at a time. */
  next(): Promise<Uint8Array> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject }
    })
  }

  /** What nobody has asked for. */
  rest(): Uint8Array[] {
    const rest = this.#frames
    this.#frames = []
    return rest
  }
}

type Waiter = {
  resolve(frame: Uint8Array): void
  reject(failure: Error): void
}
