/*
 * A recording as lines: a file of NDJSON, compressed by gzip or not, read as it is needed and held in
 * memory one chunk and one line at a time. A line longer than the limit is dropped as it comes.
 */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { CommandError } from '../command-error.ts'

/** One line, by its number from 1; `bytes` is undefined when it was longer than the limit. */
export type RawLine = { readonly number: number; readonly bytes: Uint8Array | undefined }

/** The lines of the file. @throws CommandError when it cannot be read to its end */
export async function* recordingLines(
  path: string,
  options: {
    readonly lineBytesMax: number
    /** Told how many bytes of the file have been read, after each chunk. */
    readonly onRead: (bytes: number) => void
  },
): AsyncGenerator<RawLine, void> {
  const file = createReadStream(path)
  const content = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  file.on('error', error => content.destroy(error))
  let number = 0
  try {
    for await (const bytes of splitLines(content, options.lineBytesMax)) {
      options.onRead(file.bytesRead)
      yield { number: ++number, bytes }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `${path} cannot be read after line ${number}: ${reason}`
    throw new CommandError('FANFOLD_BAD_RECORDING', message, error)
  } finally {
    file.destroy()
    content.destroy()
  }
}

const newline = 0x0a

/** The lines of chunks, without their ends; `undefined` for one of more than `lineBytesMax` bytes. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Uint8Array | undefined, void> {
  // The parts of a line that began in an earlier chunk, while it is not too long.
  let parts: Uint8Array[] = []
  let bytes = 0
  const take = (part: Uint8Array): void => {
    bytes += part.length
    if (bytes > lineBytesMax) parts = []
    else if (part.length > 0) parts.push(part)
  }
  const finish = (): Uint8Array | undefined => {
    const line = bytes > lineBytesMax ? undefined : Buffer.concat(parts)
    parts = []
    bytes = 0
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, end))
      start = end + 1
      yield finish()
    }
    take(chunk.subarray(start))
  }
  if (bytes > 0) yield finish()
}
