import { isJsonObject } from '@fanfold/document'
import { decodeUtf8, encodeUtf8 } from '@fanfold/kernel'
import { type DocumentDirectory, metaFileName } from './document-directory.ts'
import { writeDurably } from './durable-file.ts'
import { readAll } from './file-system.ts'
import { damaged } from './log-error.ts'

const format = 1
const metaBytesMax = 4_096

/** Writes down, once, whose directory this is. */
export async function writeMeta(
  directory: DocumentDirectory,
  options: { readonly nodeId: string; readonly suffix: string },
): Promise<void> {
  const meta = { format, key: directory.key, node: options.nodeId }
  await writeDurably(directory, {
    name: metaFileName,
    suffix: options.suffix,
    chunks: [encodeUtf8(`${JSON.stringify(meta)}\n`)],
  })
}

/** @throws LogError `FANFOLD_LOG_DAMAGED` when the directory is another document's */
export async function checkMeta(directory: DocumentDirectory): Promise<void> {
  const { files, key } = directory
  const path = directory.file(metaFileName)
  const target = new Uint8Array(metaBytesMax)
  const file = await files.open(path, 'read')
  let count: number
  try {
    count = await readAll({ files, file, target, position: 0 })
  } finally {
    await files.close(file)
  }
  const meta = parse(decodeUtf8(target.subarray(0, count)))
  if (!isJsonObject(meta)) damaged(path, 'not a JSON object')
  if (meta['format'] !== format) {
    damaged(path, `format ${meta['format']}, this program reads ${format}`)
  }
  if (meta['key'] !== key) damaged(path, `the directory of ${meta['key']} in the place of ${key}`)
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
