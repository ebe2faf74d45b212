import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { recordingLines, splitLines } from '../../src/feed/recording-lines.ts'

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function split(texts: string[], lineBytesMax = 100): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = []
  for await (const line of splitLines(chunksOf(...texts), lineBytesMax)) {
    lines.push(line === undefined ? undefined : Buffer.from(line).toString())
  }
  return lines
}

await t.test('lines are found wherever the chunks are cut', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', maxLength: 20 })),
      fc.integer({ min: 1, max: 7 }),
      async (lines, size) => {
        const texts = lines.map(line => line.replaceAll('\n', ' '))
        const bytes = Buffer.from(texts.map(line => `${line}\n`).join(''))
        const chunks: Uint8Array[] = []
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
        const found: string[] = []
        const source = (async function* () {
          yield* chunks
        })()
        for await (const line of splitLines(source, 1_000)) {
          found.push(Buffer.from(line ?? []).toString())
        }
        t.same(
          found,
          texts.map(text => Buffer.from(text).toString()),
        )
      },
    ),
    { numRuns: 50 },
  )
})

await t.test('the last line needs no end, and nothing is no line', async t => {
  t.same(await split(['a\nb']), ['a', 'b'])
  t.same(await split(['a\n', 'b\n']), ['a', 'b'])
  t.same(await split(['\n\n']), ['', ''])
  t.same(await split([]), [])
})

await t.test('a line at the limit is read, one past it is dropped', async t => {
  t.same(await split(['12345\n12', '3456\nok\n'], 5), ['12345', undefined, 'ok'])
  t.same(await split(['1234', '56'], 5), [undefined])
})

async function read(path: string) {
  const lines: string[] = []
  let bytes = 0
  const options = { lineBytesMax: 100, onRead: (read: number) => (bytes = read) }
  for await (const line of recordingLines(path, options)) {
    lines.push(`${line.number} ${Buffer.from(line.bytes ?? []).toString()}`)
  }
  return { lines, bytes }
}

await t.test('a file is read as it is, or unpacked', async t => {
  const directory = t.testdir({ 'plain.ndjson': 'one\ntwo\n' })
  const packed = join(directory, 'packed.ndjson.gz')
  writeFileSync(packed, gzipSync('one\ntwo\n'))
  t.same(await read(join(directory, 'plain.ndjson')), { lines: ['1 one', '2 two'], bytes: 8 })
  t.same((await read(packed)).lines, ['1 one', '2 two'])
})

await t.test('a file that is cut off or not there says how far it was read', async t => {
  const directory = t.testdir({})
  const cut = join(directory, 'cut.gz')
  writeFileSync(cut, gzipSync('one\ntwo\n').subarray(0, -9))
  await t.rejects(read(cut), { code: 'FANFOLD_BAD_RECORDING', message: /after line \d+/ })
  await t.rejects(read(join(directory, 'none')), { code: 'FANFOLD_BAD_RECORDING' })
})
