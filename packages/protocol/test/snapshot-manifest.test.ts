import fc from 'fast-check'
import t from 'tap'
import { decodeLinkFrame } from '../src/decode-link-frame.ts'
import { limits } from '../src/limits.ts'
import { encodeLinkFrame, type LinkFrame } from '../src/link-frame.ts'
import { zeroPosition } from '../src/position.ts'
import { decodeManifest, encodeManifest } from '../src/snapshot-manifest.ts'
import { linkFrames } from './arbitraries.ts'
import { describeFrame } from './describe-frame.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

const manifestOf = (count: number, bytes = 1): LinkFrame => ({
  kind: 'snapshot-begin',
  channel: 1,
  manifest: {
    at: zeroPosition,
    pieces: Array.from({ length: count }, () => ({ tag: 0, bytes, digest: new Uint8Array(32) })),
  },
})

await t.test('a manifest of the most pieces is taken, of one more not', async t => {
  const most = limits.snapshotPiecesMax.value
  const frame = decodeLinkFrame(encodeLinkFrame(manifestOf(most)))
  t.equal(frame?.kind === 'snapshot-begin' && frame.manifest.pieces.length, most)
  t.throws(() => decodeLinkFrame(encodeLinkFrame(manifestOf(most + 1))), badFrame)
})

await t.test('a manifest lists pieces of 1 to 65,536 bytes and no others', async t => {
  for (const bytes of [1, 65_536]) {
    t.doesNotThrow(() => decodeLinkFrame(encodeLinkFrame(manifestOf(1, bytes))))
  }
  for (const bytes of [0, 65_537]) {
    t.throws(() => decodeLinkFrame(encodeLinkFrame(manifestOf(1, bytes))), badFrame, `${bytes}`)
  }
})

await t.test('a manifest is the same on disk as in its frame', async t => {
  const begin = linkFrames['snapshot-begin']
  const property = fc.property(begin, frame => {
    if (frame.kind !== 'snapshot-begin') return false
    const bytes = encodeManifest(frame.manifest)
    return (
      describeFrame(decodeManifest(bytes)) === describeFrame(frame.manifest) &&
      Buffer.compare(bytes, encodeLinkFrame(frame).subarray(5)) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})
