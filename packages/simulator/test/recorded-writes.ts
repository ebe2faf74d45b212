/*
 * When changes came and how large they were: in recordings from a folder beside the repository, which not
 * every machine has, and in one from a seed, which is always there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { encodeUtf8, Prng } from '@fanfold/kernel'

/** A change of a recording: when it came, ms, and its size as JSON. */
export type RecordedWrite = { readonly atMs: number; readonly bytes: number }

const folder =
  process.env['FANFOLD_REALDATA'] ??
  fileURLToPath(new URL('../../../../../shared/realdata', import.meta.url))

/** Why tests on real recordings are skipped; false where the recordings are. */
export const realdataSkip: string | false = existsSync(folder)
  ? false
  : 'there are no real recordings here'

/** Changes of a real recording from a line on; no more of it than that is kept. */
export function recordedWrites(name: string, from: number, count: number): RecordedWrite[] {
  const text = gunzipSync(readFileSync(`${folder}/${name}/deltas.ndjson.gz`)).toString('utf8')
  return text
    .split('\n')
    .slice(from, from + count)
    .map(line => {
      const { ms, delta }: { ms: number; delta: unknown } = JSON.parse(line)
      return { atMs: ms, bytes: encodeUtf8(JSON.stringify(delta)).length }
    })
}

/** Changes that nobody recorded, the same for the same seed: bursts, silences, and a few large ones. */
export function seededWrites(seed: string, count: number): RecordedWrite[] {
  const prng = new Prng(seed)
  let atMs = 0
  return Array.from({ length: count }, () => {
    const isInBurst = prng.chance(0.6)
    atMs += isInBurst ? prng.below(3) : prng.below(prng.chance(0.1) ? 5_000 : 400)
    const bytes = prng.chance(0.03) ? 2_000 + prng.below(7_000) : 20 + prng.below(200)
    return { atMs, bytes }
  })
}
