/*
 * Loads a definition again when one of its sources changes. Directories are watched, not files: an
 * editor that saves by renaming leaves a watch on a file behind with the old one.
 */
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, sep } from 'node:path'
import { type LoadedDefinition, loadDefinition } from './load-definition.ts'

/** An editor writes a file in several steps; one load follows when it has been quiet this long. */
export const watchQuietMs = 50

/** Directories watched at a time; sources in more are loaded again with the next change of a watched one. */
export const watchedDirectoriesMax = 64

/** What to watch, and whom to tell. */
export type WatchDefinitionOptions = {
  /** Absolute path of the module. */
  readonly path: string
  /** What is in use now: its inputs are watched, and its hash is not told again but after an error. */
  readonly loaded: LoadedDefinition
  readonly onChange: (loaded: LoadedDefinition) => void
  /** A change that cannot be loaded; what is in use stays in use. */
  readonly onError: (error: unknown) => void
}

/** Watches the sources of a definition until `close`. */
export class DefinitionWatch {
  readonly #options: WatchDefinitionOptions
  readonly #watchers = new Map<string, FSWatcher>()
  #loaded: LoadedDefinition
  #timer: NodeJS.Timeout | undefined
  #isLoading = false
  #isStale = false
  #isClosed = false
  /** A mistake was told last: that it is gone is told too, whatever is loaded then. */
  #hasFailed = false

  constructor(options: WatchDefinitionOptions) {
    this.#options = options
    this.#loaded = options.loaded
    this.#watchInputs()
  }

  /** Watches no more; nothing is told afterwards. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watchInputs(): void {
    const directories = new Set(
      this.#loaded.inputs
        .filter(input => !input.includes(`${sep}node_modules${sep}`))
        .map(input => dirname(input)),
    )
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue
      watcher.close()
      this.#watchers.delete(directory)
    }
    for (const directory of directories) {
      if (this.#watchers.has(directory) || this.#watchers.size >= watchedDirectoriesMax) continue
      const watcher = watch(directory, (_, name) => {
        if (name === null || this.#isInput(name)) this.#later()
      })
      watcher.on('error', error => this.#options.onError(error))
      this.#watchers.set(directory, watcher)
    }
  }

  #isInput(name: string): boolean {
    return this.#loaded.inputs.some(input => basename(input) === name)
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#load(), watchQuietMs)
  }

  async #load(): Promise<void> {
    this.#isStale = this.#isLoading
    if (this.#isLoading) return
    this.#isLoading = true
    try {
      const loaded = await loadDefinition(this.#options.path)
      if (this.#isClosed) return
      const isNew = loaded.hash !== this.#loaded.hash || this.#hasFailed
      this.#hasFailed = false
      this.#loaded = loaded
      this.#watchInputs()
      if (isNew) this.#options.onChange(loaded)
    } catch (error) {
      this.#hasFailed = true
      if (!this.#isClosed) this.#options.onError(error)
    } finally {
      this.#isLoading = false
      if (this.#isStale && !this.#isClosed) this.#later()
    }
  }
}
