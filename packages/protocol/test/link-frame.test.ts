import fc from 'fast-check'
import t from 'tap'
import { decodeLinkFrame } from '../src/decode-link-frame.ts'
import { errorCodes } from '../src/error-code.ts'
import { limits } from '../src/limits.ts'
import {
  encodeLinkFrame,
  encodeRecordsFrame,
  type LinkFrame,
  linkFrameTypes,
  optionalFrameTypeMin,
} from '../src/link-frame.ts'
import { encodeRecord, LogRecord } from '../src/log-record.ts'
import { zeroPosition } from '../src/position.ts'
import { type SignedVariant, variantSigningBytes } from '../src/signed-variant.ts'
import { decodeManifest, encodeManifest } from '../src/snapshot-manifest.ts'
import { anyLinkFrame, anyRecord, linkFrames, part, recordFields } from './arbitraries.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

/** A frame as text in which bytes are hexadecimal, so that two are equal when their texts are. */
const describe = (frame: unknown): string =>
  JSON.stringify(frame, (_, value: unknown) => {
    if (value instanceof LogRecord) return Buffer.from(value.bytes).toString('hex')
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  })

const manifestOf = (count: number, bytes = 1): LinkFrame => ({
  kind: 'snapshot-begin',
  channel: 1,
  manifest: {
    at: zeroPosition,
    pieces: Array.from({ length: count }, () => ({ tag: 0, bytes, digest: new Uint8Array(32) })),
  },
})

for (const [kind, frames] of Object.entries(linkFrames)) {
  await t.test(`a ${kind} frame comes back as it was`, async t => {
    const property = fc.property(
      frames,
      frame => describe(decodeLinkFrame(encodeLinkFrame(frame))) === describe(frame),
    )
    t.doesNotThrow(() => fc.assert(property))
  })

  // Their last field runs to the end of the frame.
  if (kind === 'records' || kind === 'replay' || kind === 'snapshot-piece' || kind === 'variant')
    continue

  await t.test(`bytes behind a ${kind} frame are ignored`, async t => {
    const property = fc.property(frames, fc.uint8Array(), (frame, more) => {
      // Not a Buffer: its toJSON would speak before the bytes can be described.
      const bytes = new Uint8Array([...encodeLinkFrame(frame), ...more])
      return describe(decodeLinkFrame(bytes)) === describe(frame)
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 50 }))
  })

  await t.test(`a ${kind} frame cut anywhere is refused`, async t => {
    const [frame] = fc.sample(frames, { numRuns: 1, seed: 7 })
    const bytes = frame === undefined ? new Uint8Array(0) : encodeLinkFrame(frame)
    t.ok(bytes.length >= 1)
    for (let length = 0; length < bytes.length; length++) {
      t.throws(() => decodeLinkFrame(bytes.subarray(0, length)), { name: 'ProtocolError' })
    }
  })
}

await t.test(
  'every type has a number of its own; only what concerns variants may be ignored',
  async t => {
    const numbers = Object.values(linkFrameTypes)
    t.equal(new Set(numbers).size, numbers.length)
    for (const [kind, number] of Object.entries(linkFrameTypes)) {
      t.ok(number > 0 && number < 256)
      t.equal(number >= optionalFrameTypeMin, kind.endsWith('variant'), kind)
    }
    t.same(Object.keys(linkFrames).sort(), Object.keys(linkFrameTypes).sort(), 'all are tested')
  },
)

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

await t.test('the largest record fits into a frame of its own', async t => {
  const empty = encodeRecord(recordFields({ parts: [part(0, '')] })).length
  const payload = new Uint8Array(limits.recordBytesMax.value - empty)
  const bytes = encodeRecord(recordFields({ parts: [part(0, payload)] }))
  const frame = decodeLinkFrame(encodeRecordsFrame(1, [bytes]))
  t.equal(frame?.kind === 'records' && frame.records[0]?.bytes.length, bytes.length)
})

await t.test('records travel as the bytes they are', async t => {
  const property = fc.property(fc.array(anyRecord, { maxLength: 8 }), records => {
    const frame = decodeLinkFrame(
      encodeRecordsFrame(
        9,
        records.map(record => record.bytes),
      ),
    )
    return (
      frame?.kind === 'records' &&
      frame.channel === 9 &&
      frame.records.length === records.length &&
      frame.records.every(
        (record, at) => Buffer.compare(record.bytes, records[at]?.bytes ?? new Uint8Array(0)) === 0,
      )
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a records frame with a record that is cut, or none, is refused', async t => {
  const bytes = encodeRecordsFrame(1, [encodeRecord(recordFields())])
  for (const length of [6, 8, 9, 100, bytes.length - 1]) {
    t.throws(() => decodeLinkFrame(bytes.subarray(0, length)), badFrame, `${length}`)
  }
  t.same(decodeLinkFrame(bytes.subarray(0, 5)), { kind: 'records', channel: 1, records: [] })
  t.throws(() => decodeLinkFrame(Buffer.concat([bytes, Buffer.of(0, 0, 0, 0)])), badFrame)
})

await t.test('the longest texts of a hello are taken, one byte more not', async t => {
  const hello = (token: string): Uint8Array =>
    encodeLinkFrame({
      kind: 'hello',
      versionMin: 1,
      versionMax: 1,
      incarnation: 'a1',
      token,
      nonce: new Uint8Array(32),
    })
  const longest = limits.helloTextBytesMax.value
  t.equal(decodeLinkFrame(hello('x'.repeat(longest)))?.kind, 'hello')
  t.throws(() => decodeLinkFrame(hello('x'.repeat(longest + 1))), badFrame)
})

await t.test('a signature of 128 bytes is taken, of 129 not', async t => {
  const proof = (length: number) =>
    encodeLinkFrame({ kind: 'proof', signature: new Uint8Array(length) })
  t.equal(decodeLinkFrame(proof(128))?.kind, 'proof')
  t.throws(() => decodeLinkFrame(proof(129)), badFrame)
})

const variantFrame = (fields: Partial<SignedVariant>): Uint8Array =>
  encodeLinkFrame({
    kind: 'variant',
    variant: {
      hash: new Uint8Array(32),
      type: 'match',
      token: '',
      signature: new Uint8Array(0),
      code: new Uint8Array(0),
      ...fields,
    },
  })

await t.test('a variant of the largest size is taken, of one byte more not', async t => {
  const most = limits.variantBytesMax.value
  const frame = decodeLinkFrame(variantFrame({ code: new Uint8Array(most) }))
  t.equal(frame?.kind === 'variant' && frame.variant.code.length, most)
  t.throws(() => decodeLinkFrame(variantFrame({ code: new Uint8Array(most + 1) })), badFrame)
})

await t.test('each field of a variant is taken at its limit, and not past it', async t => {
  const texts = { type: limits.keyBytesMax.value, token: limits.helloTextBytesMax.value }
  for (const [field, most] of Object.entries(texts)) {
    const frame = (length: number) => variantFrame({ [field]: 'x'.repeat(length) })
    t.equal(decodeLinkFrame(frame(most))?.kind, 'variant', field)
    t.throws(() => decodeLinkFrame(frame(most + 1)), badFrame, field)
  }
  const signed = (length: number) => variantFrame({ signature: new Uint8Array(length) })
  t.equal(decodeLinkFrame(signed(128))?.kind, 'variant')
  t.throws(() => decodeLinkFrame(signed(129)), badFrame)
})

await t.test('a variant cut before its text is refused', async t => {
  const bytes = variantFrame({ token: 'jwt', signature: new Uint8Array(64) })
  for (let length = 1; length < bytes.length; length++) {
    t.throws(() => decodeLinkFrame(bytes.subarray(0, length)), badFrame, `${length}`)
  }
})

await t.test(
  'what is signed of a variant is its type and its name, and of nothing else',
  async t => {
    const bytes = variantSigningBytes('match', new Uint8Array(32).fill(7))
    const text = (value: string) => [0, value.length, ...Buffer.from(value)]
    t.same([...bytes], [...text('fanfold variant'), ...text('match'), ...new Array(32).fill(7)])
  },
)

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
      describe(decodeManifest(bytes)) === describe(frame.manifest) &&
      Buffer.compare(bytes, encodeLinkFrame(frame).subarray(5)) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a long message is cut to what its receiver takes', async t => {
  for (const letter of ['x', 'é', '€', '🏁']) {
    const bytes = encodeLinkFrame({
      kind: 'ended',
      channel: 1,
      code: 'FANFOLD_DELETED',
      message: letter.repeat(5000),
    })
    const frame = decodeLinkFrame(bytes)
    t.ok(frame?.kind === 'ended' && frame.message.length >= 200, letter)
  }
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
