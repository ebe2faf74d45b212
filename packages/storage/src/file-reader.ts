import type { FileSystem } from './file-system.ts'

/** Bytes read at a time: few calls, and no more parsing in one turn than a few milliseconds. */
const chunkBytes = 262_144

/** Reads a file from front to back through a window; what it hands out stays valid. */
export class FileReader {
  readonly #files: FileSystem
  readonly #file: number
  #window: Uint8Array = new Uint8Array(0)
  /** Where the window's next byte is in the window, and in the file. */
  #at = 0
  #offset: number

  /** @param file an open file, which stays the caller's */
  constructor(files: FileSystem, file: number, offset: number) {
    this.#files = files
    this.#file = file
    this.#offset = offset
  }

  /** Where in the file the next byte is. */
  get offset(): number {
    return this.#offset
  }

  /** The window; the next byte is at `at`. */
  get window(): Uint8Array {
    return this.#window
  }

  get at(): number {
    return this.#at
  }

  /** Bytes at hand. */
  get available(): number {
    return this.#window.length - this.#at
  }

  /** Goes over bytes that are at hand. */
  skip(count: number): void {
    this.#at += count
    this.#offset += count
  }

  /** Lets go of the bytes at hand: they are read again, as the file has them then. */
  forget(): void {
    this.#window = new Uint8Array(0)
    this.#at = 0
  }

  /** Gets at least `count` bytes to hand; false when the file ends before. */
  async fill(count: number): Promise<boolean> {
    if (this.available >= count) return true
    // A new window each time: records and pieces are views of the old one.
    const window = new Uint8Array(Math.max(count, chunkBytes))
    window.set(this.#window.subarray(this.#at))
    let length = this.available
    while (length < count) {
      const target = window.subarray(length)
      const read = await this.#files.read(this.#file, target, this.#offset + length)
      if (read === 0) break
      length += read
    }
    this.#window = window.subarray(0, length)
    this.#at = 0
    return length >= count
  }

  /** The next `count` bytes, or `undefined` when the file ends before. */
  async take(count: number): Promise<Uint8Array | undefined> {
    if (!(await this.fill(count))) return undefined
    const bytes = this.#window.subarray(this.#at, this.#at + count)
    this.skip(count)
    return bytes
  }
}
