import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { concatBytes, equalBytes } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import {
  chunkBytesTarget,
  chunksOf,
  decodeChunk,
  decodeStoredManifest,
  encodeStored,
  storedCount,
} from '../src/stored-snapshot.ts'
import { doc } from './log-rig.ts'

const { end: at } = buildLog({ doc, count: 3 })
const rows = Array.from({ length: 4_000 }, (_, index) => [`row-${index}`, 'x'.repeat(200)])
const large = encodeSnapshot({
  at,
  state: Object.fromEntries(rows),
  definition: undefined,
  sha256,
})

t.test('a snapshot comes back from its elements, which are of a bounded size', async t => {
  const [first, ...chunks] = [...encodeStored(doc, large, sha256)]
  t.equal(storedCount(large.manifest), 1 + chunks.length)
  t.ok(chunks.length > 2 && chunks.every(chunk => chunk.length <= chunkBytesTarget))
  const manifest = first && decodeStoredManifest(doc, first, sha256)
  t.same(manifest, large.manifest)
  const pieces = chunksOf(large.manifest).flatMap(([from, to], index) => {
    const entries = large.manifest.pieces.slice(from, to)
    return decodeChunk(entries, chunks[index] ?? new Uint8Array(), sha256) ?? []
  })
  t.equal(pieces.length, large.pieces.length)
  t.ok(pieces.every((piece, index) => equalBytes(piece, large.pieces[index] ?? piece.subarray(1))))
})

t.test('a snapshot of a document that was deleted has a manifest and nothing else', async t => {
  const none = encodeSnapshot({ at, state: undefined, definition: undefined, sha256 })
  t.equal([...encodeStored(doc, none, sha256)].length, 1)
})

t.test('what is torn, changed or of another document is none', async t => {
  const [first = new Uint8Array(), second = new Uint8Array()] = encodeStored(doc, large, sha256)
  const other = parseDocumentKey('acme/match/semi')
  t.equal(decodeStoredManifest(other, first, sha256), undefined)
  t.equal(decodeStoredManifest(doc, first.subarray(0, -1), sha256), undefined)
  t.equal(decodeStoredManifest(doc, new Uint8Array(), sha256), undefined)
  for (const index of [0, 40, first.length - 1]) {
    const changed = Uint8Array.from(first, (byte, at) => (at === index ? byte ^ 1 : byte))
    t.equal(decodeStoredManifest(doc, changed, sha256), undefined, `byte ${index}`)
  }
  const [[from, to] = [0, 0]] = chunksOf(large.manifest)
  const entries = large.manifest.pieces.slice(from, to)
  t.equal(decodeChunk(entries, second.subarray(0, -1), sha256), undefined)
  t.equal(decodeChunk(entries, concatBytes([second, Uint8Array.of(0)]), sha256), undefined)
  t.equal(decodeChunk(entries.slice(1), second, sha256), undefined)
})
