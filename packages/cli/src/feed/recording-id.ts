import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/**
 * What the ids of a play begin with: the same for the same bytes played in the same way, so that a
 * play that was broken off can be begun again and commits each line once.
 *
 * @param terms what makes a play another one, beside the bytes
 */
export async function recordingId(path: string, terms: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.update(JSON.stringify(terms)).digest('hex').slice(0, 16)
}
