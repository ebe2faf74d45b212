import { type DocumentDirectory, syncFile } from './document-directory.ts'
import { writeAll } from './file-system.ts'
import { isMissing, LogError } from './log-error.ts'

/**
 * Puts a whole file in place: written aside, synced, renamed, the directory synced. After a crash it
 * is there as a whole or not at all.
 *
 * When it fails, what was written aside is gone again.
 *
 * @throws LogError `FANFOLD_FENCED` when it was removed meanwhile by a node that has claimed the log
 * @param options.suffix tells this store's half-written files from those of others
 */
export async function writeDurably(
  directory: DocumentDirectory,
  options: {
    readonly name: string
    readonly suffix: string
    readonly chunks: Iterable<Uint8Array>
  },
): Promise<void> {
  const { files } = directory
  const path = directory.file(options.name)
  const aside = `${path}.${options.suffix}.tmp`
  const file = await files.open(aside, 'replace')
  try {
    try {
      let position = 0
      for (const bytes of options.chunks) {
        await writeAll({ files, file, bytes, position })
        position += bytes.length
      }
      await syncFile(files, file, aside)
    } finally {
      await files.close(file)
    }
    await files.rename(aside, path).catch(error => {
      if (isMissing(error)) {
        throw new LogError(
          'FANFOLD_FENCED',
          `${aside} was removed by a node that has claimed the log`,
        )
      }
      throw error
    })
  } catch (error) {
    // The first error is the one that matters.
    await files.remove(aside).catch(() => undefined)
    throw error
  }
  await directory.sync()
}
