// Records per second that one proxy forwards on one core, with verification: the machine alone, frames
// of 32 records with a payload of 200 bytes, one child. In the same run, for comparison, the bare
// SHA-256 work of verifying them.
import { randomBytes } from 'node:crypto'
import { Chain } from '@fanfold/document'
import { encodeUtf8, instant, milliseconds, Prng } from '@fanfold/kernel'
import { sha256 } from '@fanfold/node'
import {
  encodeLinkFrame,
  encodeRecord,
  encodeRecordsFrame,
  parseDocumentKey,
  partTags,
  zeroHash,
  zeroPosition,
} from '@fanfold/protocol'
import { ProxyTier } from '@fanfold/proxy'
import { defaultUpstreamLimits } from '@fanfold/replication'
import { report } from './report.mjs'

const recordsPerFrame = 32
const frameCount = 2_000
const rounds = 7
const doc = parseDocumentKey('bench/forward/one')
const peer = { node: 'peer', incarnation: '1', region: 'r', roles: ['proxy'], ceiling: 239 }

const chain = new Chain(sha256)
const payload = encodeUtf8(
  JSON.stringify([{ op: 'replace', path: '/value', value: 'x'.repeat(158) }]),
)
const frames = []
let before = zeroHash
for (let frame = 0; frame < frameCount; frame++) {
  const records = []
  for (let index = 0; index < recordsPerFrame; index++) {
    const seq = frame * recordsPerFrame + index + 1
    const record = chain.seal(
      encodeRecord({
        kind: 'delta',
        key: doc,
        epoch: 1,
        seq,
        timeMs: 1_700_000_000_000 + seq,
        trace: undefined,
        parts: [
          { tag: partTags.public, salt: randomBytes(16), payload },
          { tag: partTags.authority, salt: randomBytes(16), payload: encodeUtf8('{"by":"w"}') },
        ],
      }),
      before,
    )
    before = record.chainHash.slice()
    records.push(chain.project(record, 239).bytes)
  }
  frames.push(Buffer.from(encodeRecordsFrame(1, records)))
}

/** One pass of all frames through a fresh proxy with one child that always gives credit. */
function forward() {
  const proxy = new ProxyTier({
    sha256,
    prng: new Prng('bench'),
    limits: {
      follower: {
        ring: { recordsMax: 8_192, bytesMax: 16_777_216, ageMax: milliseconds(60_000) },
        upstream: defaultUpstreamLimits,
        pendingBytesMax: Number.MAX_SAFE_INTEGER,
      },
      lingerMs: 1_000,
    },
  })
  const effects = []
  let now = 0
  const receive = input => proxy.receive(input, instant(now++), effects)
  receive({ kind: 'link-opened', link: 1, peer, dialled: true })
  receive({ kind: 'link-opened', link: 2, peer, dialled: false })
  const join = encodeLinkFrame({
    kind: 'join',
    doc,
    have: undefined,
    credit: 67_108_864,
    take: 'any',
    codecs: 0,
  })
  receive({ kind: 'link-frame', link: 2, frame: join })
  for (const frame of [
    { kind: 'welcome', doc, channel: 1, mode: 'snapshot', head: zeroPosition, ceiling: 239 },
    {
      kind: 'snapshot-begin',
      channel: 1,
      manifest: { at: { epoch: 1, seq: 0, hash: zeroHash }, pieces: [] },
    },
  ]) {
    receive({ kind: 'link-frame', link: 1, frame: encodeLinkFrame(frame) })
  }
  effects.length = 0
  let sent = 0
  const startedAt = performance.now()
  for (const frame of frames) {
    receive({ kind: 'link-frame', link: 1, frame })
    for (const effect of effects) {
      if (effect.kind !== 'link-send' || effect.link !== 2) continue
      sent += effect.frame.length
    }
    effects.length = 0
  }
  const seconds = (performance.now() - startedAt) / 1000
  return { seconds, sent }
}

/** The least that verification costs: three digests per record of the sizes that it has. */
function hashOnly() {
  const part = Buffer.alloc(217)
  const pair = Buffer.alloc(64)
  const link = Buffer.alloc(120)
  const target = Buffer.alloc(32)
  const startedAt = performance.now()
  for (let index = 0; index < frameCount * recordsPerFrame; index++) {
    sha256(part, target, 0)
    sha256(pair, target, 0)
    sha256(link, target, 0)
  }
  return (performance.now() - startedAt) / 1000
}

const records = frameCount * recordsPerFrame
const perSecond = []
const ofHashing = []
forward()
hashOnly()
for (let round = 0; round < rounds; round++) {
  const { seconds, sent } = forward()
  if (sent < records * 200)
    throw new Error(`the proxy forwarded ${sent} bytes of ${records} records`)
  perSecond.push(records / seconds)
  ofHashing.push(seconds / hashOnly())
}
report({
  bench: 'forward',
  unit: 'records/s per hop and core',
  values: perSecond,
  floor: 100_000,
  aim: 200_000,
})
report({ bench: 'forward: time over that of its digests alone', unit: 'ratio', values: ofHashing })
