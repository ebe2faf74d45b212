/* The worlds that once found something, as the package keeps them. */
import { readFileSync } from 'node:fs'
import { type DrawnWorld, parseKnownSeeds } from '../src/index.ts'

export const knownSeeds: readonly DrawnWorld[] = parseKnownSeeds(
  readFileSync(new URL('../../seeds.txt', import.meta.url), 'utf8'),
)
