import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type JsonObject } from '@fanfold/document'
import { encodeLinkFrame, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { snapshotCodec } from '../src/snapshot-codec.ts'

const channel = 7
/** What a frame has besides its piece, and a manifest besides its digests, in all. */
const overheadMax = 0.02

/** A state of many records, alike as those of one kind are. */
const state = (records: number): JsonObject =>
  Object.fromEntries(
    Array.from({ length: records }, (_, index) => [
      `driver-${index}`,
      { position: index, gap: `+${(index * 0.137).toFixed(3)}`, isInPit: index % 7 === 0 },
    ]),
  )

t.test('a snapshot takes little more on a link than its packed pieces', async t => {
  const { manifest, pieces } = encodeSnapshot({
    at: zeroPosition,
    state: state(40_000),
    definition: undefined,
    sha256,
  })
  const packed = pieces.map(piece => snapshotCodec.pack(piece))
  const frames = [
    encodeLinkFrame({ kind: 'snapshot-begin', channel, manifest }),
    ...packed.map(({ codec, bytes }, index) =>
      encodeLinkFrame({ kind: 'snapshot-piece', channel, index, codec, piece: bytes }),
    ),
  ]
  const sum = (arrays: readonly Uint8Array[]): number =>
    arrays.reduce((total, { length }) => total + length, 0)
  const share = sum(frames) / sum(packed.map(({ bytes }) => bytes))
  t.ok(pieces.length > 16, `${pieces.length} pieces`)
  t.ok(share <= 1 + overheadMax, `${share} times the bytes of the pieces`)
})
