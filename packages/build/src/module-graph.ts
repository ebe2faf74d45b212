import { dirname, resolve } from 'node:path'
import type { Metafile } from 'esbuild'

/** Which file imports which, as the bundler found it. */
export class ModuleGraph {
  /** For each file the files it imports, by the specifier that names them. */
  readonly #imports = new Map<string, ReadonlyMap<string, string>>()

  /** @param path absolute path of the module that was bundled */
  constructor({ inputs }: Metafile, path: string) {
    const directory = dirname(path)
    for (const [input, { imports }] of Object.entries(inputs)) {
      const found = imports
        .filter(({ external }) => external !== true)
        .map(one => [one.original ?? one.path, resolve(directory, one.path)] as const)
      this.#imports.set(resolve(directory, input), new Map(found))
    }
  }

  /** The file that `specifier` names in a file; `undefined` for what is not bundled. */
  resolve(from: string, specifier: string): string | undefined {
    return this.#imports.get(from)?.get(specifier)
  }

  /** Some files and all that they import, directly or not. */
  closure(from: Iterable<string>): ReadonlySet<string> {
    const found = new Set<string>()
    const waiting = [...from]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (found.has(path)) continue
      found.add(path)
      waiting.push(...(this.#imports.get(path)?.values() ?? []))
    }
    return found
  }
}
