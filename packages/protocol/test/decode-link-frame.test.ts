import fc from 'fast-check'
import t from 'tap'
import { decodeLinkFrame } from '../src/decode-link-frame.ts'
import { parseDocumentKey } from '../src/document-key.ts'
import { errorCodes } from '../src/error-code.ts'
import { limits } from '../src/limits.ts'
import {
  encodeLinkFrame,
  encodeRecordsFrame,
  encodeReplayFrame,
  type LinkFrame,
  linkFrameTypes,
} from '../src/link-frame.ts'
import { encodeRecord } from '../src/log-record.ts'
import { signalKinds } from '../src/signal.ts'
import { anyLinkFrame, linkFrames, recordFields } from './arbitraries.ts'
import { describeFrame } from './describe-frame.ts'

const doc = parseDocumentKey('acme/match/final')
const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

/** Frames whose last field runs to the end. */
const endsWithRest: ReadonlySet<string> = new Set([
  'records',
  'replay',
  'snapshot-piece',
  'variant',
  'crowd',
  'crowd-answer',
])

for (const [kind, frames] of Object.entries(linkFrames)) {
  await t.test(`a ${kind} frame comes back as it was`, async t => {
    const property = fc.property(
      frames,
      frame => describeFrame(decodeLinkFrame(encodeLinkFrame(frame))) === describeFrame(frame),
    )
    t.doesNotThrow(() => fc.assert(property))
  })

  // Their last field runs to the end of the frame.
  if (endsWithRest.has(kind)) continue

  await t.test(`bytes behind a ${kind} frame are ignored`, async t => {
    const property = fc.property(frames, fc.uint8Array(), (frame, more) => {
      // Not a Buffer: its toJSON would speak before the bytes can be described.
      const bytes = new Uint8Array([...encodeLinkFrame(frame), ...more])
      return describeFrame(decodeLinkFrame(bytes)) === describeFrame(frame)
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 50 }))
  })

  await t.test(`a ${kind} frame cut anywhere is refused`, async t => {
    const [frame] = fc.sample(frames, { numRuns: 1, seed: 7 })
    const bytes = frame === undefined ? new Uint8Array(0) : encodeLinkFrame(frame)
    t.ok(bytes.length >= 1)
    for (let length = 0; length < bytes.length; length++) {
      // Its last fields came later than the frame.
      if (length === shortOf(frame)) continue
      t.throws(() => decodeLinkFrame(bytes.subarray(0, length)), { name: 'ProtocolError' })
    }
  })
}

/** Bytes of the frame without the fields that came later than it; undefined for one that has none. */
function shortOf(frame: LinkFrame | undefined): number | undefined {
  if (frame === undefined) return undefined
  switch (frame.kind) {
    case 'hello':
      return encodeLinkFrame({ ...frame, configuredView: undefined }).length - 2
    case 'pieces-taken':
      return 5
    case 'join':
      return encodeLinkFrame(frame).length - 1
    case 'welcome':
      return encodeLinkFrame({ ...frame, place: undefined }).length - 1
    default:
      return undefined
  }
}

await t.test('an unknown type from 128 on is ignored, below 128 refused', async t => {
  const known = new Set<number>(Object.values(linkFrameTypes))
  for (let type = 0; type < 256; type++) {
    if (known.has(type)) continue
    const bytes = Uint8Array.of(type, 1, 2, 3)
    if (type >= 128) t.equal(decodeLinkFrame(bytes), undefined, `${type}`)
    else t.throws(() => decodeLinkFrame(bytes), badFrame, `${type}`)
  }
})

await t.test('a frame of the largest size is taken, of one byte more not', async t => {
  const bytes = new Uint8Array(limits.linkFrameBytesMax.value + 1)
  bytes[0] = linkFrameTypes.ping
  t.same(decodeLinkFrame(bytes.subarray(0, -1)), { kind: 'ping' })
  t.throws(() => decodeLinkFrame(bytes), badFrame)
})

await t.test('a frame with a record that is cut, or with none, is refused', async t => {
  const record = encodeRecord(recordFields())
  const frames = [encodeRecordsFrame(1, [record]), encodeReplayFrame(3, 0, [record])]
  for (const bytes of frames) {
    const head = bytes.length - record.length - 4
    for (let length = 1; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      if (length === head) t.match(decodeLinkFrame(cut), { records: [] }, `${length}`)
      else t.throws(() => decodeLinkFrame(cut), badFrame, `${length}`)
    }
    t.throws(() => decodeLinkFrame(Buffer.concat([bytes, Buffer.of(0, 0, 0, 0)])), badFrame)
  }
})

await t.test('the longest texts of a hello are taken, one byte more not', async t => {
  const hello = (token: string, configuredView?: string): Uint8Array =>
    encodeLinkFrame({
      kind: 'hello',
      versionMin: 1,
      versionMax: 1,
      incarnation: 'a1',
      token,
      nonce: new Uint8Array(32),
      configuredView,
    })
  const longest = 'x'.repeat(limits.helloTextBytesMax.value)
  t.match(decodeLinkFrame(hello(longest, longest)), { token: longest, configuredView: longest })
  t.throws(() => decodeLinkFrame(hello(`${longest}x`)), badFrame)
  t.throws(() => decodeLinkFrame(hello('a', `${longest}x`)), badFrame)
})

await t.test(
  'a hello of a node that is part of no fleet, or of an older one, has no view',
  async t => {
    const frame = {
      kind: 'hello',
      versionMin: 1,
      versionMax: 1,
      incarnation: 'a1',
      token: 'jwt',
      nonce: new Uint8Array(32),
    } as const
    const bytes = encodeLinkFrame(frame)
    t.notOk(Object.hasOwn(decodeLinkFrame(bytes) ?? {}, 'configuredView'))
    t.match(decodeLinkFrame(bytes.subarray(0, -2)), frame)
  },
)

await t.test('a signature of 128 bytes is taken, of 129 not', async t => {
  const proof = (length: number) =>
    encodeLinkFrame({ kind: 'proof', signature: new Uint8Array(length) })
  t.equal(decodeLinkFrame(proof(128))?.kind, 'proof')
  t.throws(() => decodeLinkFrame(proof(129)), badFrame)
})

await t.test('a ceiling is any tag, up to what only authorities keep', async t => {
  for (const ceiling of [0, 1, 239, 240, 255]) {
    const [welcome] = fc.sample(linkFrames.welcome, { numRuns: 1, seed: 3 })
    if (welcome?.kind !== 'welcome') throw new Error('a welcome is a welcome')
    t.match(decodeLinkFrame(encodeLinkFrame({ ...welcome, ceiling })), { ceiling })
  }
})

await t.test('a piece of 65,536 bytes is taken, of one more not', async t => {
  const piece = (length: number) =>
    encodeLinkFrame({
      kind: 'snapshot-piece',
      channel: 1,
      index: 0,
      codec: 0,
      piece: new Uint8Array(length),
    })
  t.equal(decodeLinkFrame(piece(65_536))?.kind, 'snapshot-piece')
  t.throws(() => decodeLinkFrame(piece(65_537)), badFrame)
})

await t.test('a piece cut before its bytes is refused', async t => {
  const [piece] = fc.sample(linkFrames['snapshot-piece'], { numRuns: 1, seed: 7 })
  const bytes = piece === undefined ? new Uint8Array(0) : encodeLinkFrame(piece)
  for (let length = 1; length < 10; length++) {
    t.throws(() => decodeLinkFrame(bytes.subarray(0, length)), badFrame, `${length}`)
  }
})

await t.test('a piece may be packed by a codec that this version does not know', async t => {
  const piece = Uint8Array.of(1, 2)
  for (const codec of [0, 1, 2, 3, 33, 255]) {
    const frame = { kind: 'snapshot-piece', channel: 1, index: 2, codec, piece } as const
    t.match(decodeLinkFrame(encodeLinkFrame(frame)), { codec, piece }, `${codec}`)
  }
})

await t.test('a child may name 65,535 pieces at a time', async t => {
  const indexes = Array.from({ length: 65_535 }, (_, index) => index)
  const frame = { kind: 'request-pieces', channel: 1, indexes } as const
  t.same(decodeLinkFrame(encodeLinkFrame(frame)), frame)
})

const signal = (fields: { readonly kind: number; readonly doc?: string }): Uint8Array => {
  const { kind, doc = '' } = fields
  return Buffer.concat([
    Buffer.of(linkFrameTypes.signal, kind, doc.length >> 8, doc.length & 255),
    Buffer.from(doc),
    Buffer.alloc(8, 1, 'hex').fill(0, 0, 2),
  ])
}

await t.test('a signal of each kind comes back, one of a later kind is ignored', async t => {
  const known = new Map(Object.entries(signalKinds).map(([name, number]) => [number, name]))
  for (let kind = 0; kind < 256; kind++) {
    const name = known.get(kind as 1)
    const frame = decodeLinkFrame(signal({ kind, doc }))
    if (name === undefined) t.equal(frame, undefined, `${kind}`)
    else t.match(frame, { kind: 'signal', signal: name, doc }, `${kind}`)
  }
})

await t.test('a signal without a document is about the whole link', async t => {
  t.match(decodeLinkFrame(signal({ kind: signalKinds['hand-over'] })), {
    signal: 'hand-over',
    doc: undefined,
  })
})

await t.test('the largest value of a signal is 2^53 - 1', async t => {
  const most = Number.MAX_SAFE_INTEGER
  const bytes = encodeLinkFrame({ kind: 'signal', signal: 'lag', doc: undefined, value: most })
  t.match(decodeLinkFrame(bytes), { value: most })
  bytes[bytes.length - 8] = 1
  t.throws(() => decodeLinkFrame(bytes), badFrame)
})

await t.test('a replay that ended without a code reached the end of the log', async t => {
  const ended = { kind: 'replay-ended', replay: 3, message: '', retryAfterMs: 0 } as const
  for (const code of [undefined, 'FANFOLD_NO_PARENT'] as const) {
    t.same(decodeLinkFrame(encodeLinkFrame({ ...ended, code })), { ...ended, code })
  }
})

await t.test(
  'a join need not say whether it is movable, nor a welcome where it comes from',
  async t => {
    for (const kind of ['join', 'welcome'] as const) {
      for (const frame of fc.sample(linkFrames[kind], { numRuns: 20, seed: 5 })) {
        const { isMovable: _movable, place: _place, ...rest } = { isMovable: 0, place: 0, ...frame }
        const short = encodeLinkFrame(frame).subarray(0, shortOf(frame))
        t.equal(describeFrame(decodeLinkFrame(short)), describeFrame(rest as LinkFrame))
      }
    }
  },
)

await t.test('a path that is too long is refused, and a redirect to nobody', async t => {
  const path = Array.from({ length: limits.pathNodesMax.value + 1 }, (_, at) => `n${at}`)
  t.throws(() => decodeLinkFrame(encodeLinkFrame({ kind: 'path', channel: 1, path })), badFrame)
  const [doc, name] = [parseDocumentKey('a/b/c'), 'x'.repeat(limits.nodeNameBytesMax.value + 1)]
  for (const to of [[], [name]]) {
    t.throws(() => decodeLinkFrame(encodeLinkFrame({ kind: 'redirect', doc, to })), badFrame)
  }
})

await t.test('what was taken needs not say what it answers', async t => {
  const short = Uint8Array.of(linkFrameTypes['pieces-taken'], 0, 0, 1, 0)
  t.same(decodeLinkFrame(short), { kind: 'pieces-taken', bytes: 256, answers: 0 })
})

await t.test('an error code of a later version is read as one that says: come back', async t => {
  const bytes = Buffer.from(
    encodeLinkFrame({ kind: 'ended', channel: 1, code: 'FANFOLD_DELETED', message: '' }),
  )
  bytes.write('FANFOLD_NEWERER', 7)
  const frame = decodeLinkFrame(bytes)
  t.equal(frame?.kind === 'ended' && frame.code, 'FANFOLD_OVERLOADED')
  t.ok(errorCodes.FANFOLD_OVERLOADED.retry)
})

await t.test('a frame for what is no document key is refused', async t => {
  for (const doc of ['../..', '__proto__', 'a/b/\u0000', 'x'.repeat(255), 'x'.repeat(4096)]) {
    const bytes = Buffer.concat([
      Buffer.of(linkFrameTypes.leave, doc.length >> 8, doc.length & 255),
      Buffer.from(doc),
    ])
    t.throws(() => decodeLinkFrame(bytes), { name: 'ProtocolError' }, doc.slice(0, 20))
  }
})

await t.test(
  'twenty thousand random and mutated frames decode or are refused in order',
  async t => {
    const random = fc.uint8Array({ maxLength: 200 })
    const typed = fc
      .tuple(fc.constantFrom(...Object.values(linkFrameTypes)), random)
      .map(([type, bytes]) => Uint8Array.of(type, ...bytes))
    const mutated = fc
      .tuple(
        anyLinkFrame,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: 8 }),
      )
      .map(([frame, changes, cut]) => {
        const bytes = encodeLinkFrame(frame).slice()
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return bytes.subarray(0, Math.max(1, bytes.length - cut))
      })
    const property = fc.property(fc.oneof(random, typed, mutated), bytes => {
      try {
        decodeLinkFrame(bytes)
        return true
      } catch (error) {
        return error instanceof Error && error.name === 'ProtocolError'
      }
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 20_000 }))
  },
)
