import { type DrawnWorld, isWorldName, worldNames } from './drawn-world.ts'

/**
 * Reads a list of worlds that once found something: a line for each, its kind, a colon and its seed;
 * what follows `#` says what it found.
 *
 * @throws RangeError for a line that names no world
 */
export function parseKnownSeeds(text: string): readonly DrawnWorld[] {
  return text.split('\n').flatMap((line, index) => {
    const said = line.replace(/#.*/, '').trim()
    if (said === '') return []
    const [, world = '', seed = ''] = /^([a-z-]+): *(.+)$/.exec(said) ?? []
    if (!isWorldName(world)) {
      const known = worldNames.join(', ')
      throw new RangeError(`line ${index + 1} names a world of ${known}, got '${said}'`)
    }
    return [{ world, seed, nodes: undefined }]
  })
}
