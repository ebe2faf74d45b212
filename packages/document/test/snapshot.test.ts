import { equalBytes } from '@fanfold/kernel'
import { limits, type Position, partTags, zeroPosition } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, type JsonObject } from '../src/json.ts'
import {
  decodeExtra,
  decodeSnapshot,
  encodeSnapshot,
  encodeViewPieces,
  projectSnapshot,
  type Snapshot,
} from '../src/snapshot.ts'
import { anyState } from './any-state.ts'
import { sha256 } from './log-builder.ts'

const at: Position = { epoch: 3, seq: 120, hash: new Uint8Array(32).fill(7) }
const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }
const pieceBytesMax = limits.snapshotPieceBytesMax.value

const encode = (state: JsonObject | undefined, extra?: JsonObject): Snapshot =>
  encodeSnapshot({ at, state, definition: undefined, ...(extra && { extra }), sha256 })

/** A snapshot whose pieces are these texts, all public. */
const handMade = (...texts: (string | Uint8Array)[]): Snapshot => {
  const pieces = texts.map(text => (typeof text === 'string' ? Buffer.from(text) : text))
  const entries = pieces.map(({ length }) => ({
    tag: partTags.public,
    bytes: length,
    digest: new Uint8Array(32),
  }))
  return { manifest: { at: zeroPosition, pieces: entries }, pieces }
}

/** True when a snapshot of `state` is well-formed and gives the state back, order of members and all. */
function comesBack(state: JsonObject): boolean {
  const { manifest, pieces } = encode(state)
  const digest = new Uint8Array(32)
  const wellFormed = manifest.pieces.every((entry, index) => {
    const piece = pieces[index] ?? new Uint8Array(0)
    sha256(piece, digest, 0)
    return (
      entry.tag === partTags.public &&
      entry.bytes === piece.length &&
      piece.length <= pieceBytesMax &&
      equalBytes(entry.digest, digest)
    )
  })
  const back = decodeSnapshot({ manifest, pieces }).state
  return (
    wellFormed &&
    manifest.pieces.length === pieces.length &&
    JSON.stringify(back) === JSON.stringify(state)
  )
}

await t.test('any state comes back, in pieces of at most 65,536 bytes', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(anyState, comesBack), { numRuns: 150 }))
})

await t.test('a value of over 64 KiB deep inside comes back', async t => {
  let state: JsonObject = { cells: Array.from({ length: 3000 }, (_, index) => `cell ${index} 🏁`) }
  for (let depth = 0; depth < 50; depth++) state = { [`a/b~${depth}`]: state, beside: depth }
  t.ok(comesBack(state))
})

await t.test('wide maps, long arrays and arrays of arrays come back', async t => {
  const wide: JsonObject = {}
  for (let index = 0; index < 20_000; index++) wide[`p/${index}~`] = { score: index, name: 'é' }
  t.ok(comesBack({ wide }))
  t.ok(comesBack({ long: Array.from({ length: 50_000 }, (_, index) => index) }))
  const rows = Array.from({ length: 20 }, (_, row) =>
    Array.from({ length: 9000 }, (_, at) => row * at),
  )
  t.ok(comesBack({ rows, empty: [], none: {} }))
  t.ok(comesBack({}), 'an empty state is a state')
})

await t.test('members of over 64 KiB among many small ones come back', async t => {
  let state: JsonObject = { cells: Array.from({ length: 9_000 }, (_, index) => `cell ${index}`) }
  for (let depth = 0; depth < 20; depth++) {
    const small = Array.from({ length: 100 }, (_, index) => [`small-${index}`, { index, depth }])
    state = { ...Object.fromEntries(small.slice(0, 50)), state, ...Object.fromEntries(small) }
  }
  t.ok(comesBack(state))
  t.ok(comesBack({ list: [...Array.from({ length: 100 }, () => 1), state, state, 2] }))
})

await t.test('pieces are filled: a large state has few more than its bytes need', async t => {
  const wide: JsonObject = {}
  for (let index = 0; index < 20_000; index++) wide[`player-${index}`] = { score: index }
  const { pieces } = encode({ wide })
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  t.ok(pieces.length <= Math.ceil(bytes / pieceBytesMax) + 1, `${pieces.length} for ${bytes} bytes`)
})

await t.test(
  'a text that fills a piece to the last byte is one piece, one byte more two',
  async t => {
    const sized = (bytes: number): JsonObject => {
      const rest = bytes - JSON.stringify([['', { a: '', b: '' }]]).length
      return { a: 'x'.repeat(30_000), b: 'x'.repeat(rest - 30_000) }
    }
    t.same(
      encode(sized(pieceBytesMax)).pieces.map(piece => piece.length),
      [pieceBytesMax],
    )
    t.equal(encode(sized(pieceBytesMax + 1)).pieces.length, 2)
    t.ok(comesBack(sized(pieceBytesMax)))
    t.ok(comesBack(sized(pieceBytesMax + 1)))
  },
)

await t.test(
  'a text that no piece can hold is our own bug: documents may not have one',
  async t => {
    t.throws(() => encode({ a: 'x'.repeat(pieceBytesMax) }), { name: 'AssertionError' })
  },
)

await t.test('equal states at equal positions have equal snapshots', async t => {
  const property = fc.property(anyState, state => {
    const [one, other] = [encode(state), encode(structuredClone(state))]
    return one.pieces.every((piece, index) =>
      equalBytes(piece, other.pieces[index] ?? new Uint8Array(0)),
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 30 }))
})

await t.test('a view in pieces is the state of a snapshot with these pieces', async t => {
  const property = fc.property(anyState, view => {
    const { state } = decodeSnapshot(handMade(...encodeViewPieces(view)))
    return JSON.stringify(state) === JSON.stringify(view)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 50 }))
})

await t.test('a deleted document has a snapshot without pieces, and no state', async t => {
  const snapshot = encode(undefined)
  t.same(snapshot.manifest.pieces, [])
  t.equal(decodeSnapshot(snapshot).state, undefined)
  t.equal(decodeExtra(snapshot), undefined)
})

await t.test('what only authorities keep is beside the state and never in it', async t => {
  const extra = { ids: Array.from({ length: 10_000 }, (_, index) => `id-${index}`) }
  const snapshot = encode({ score: 1 }, extra)
  t.equal(canonicalJson(decodeSnapshot(snapshot).state ?? null), '{"score":1}')
  t.equal(canonicalJson(decodeExtra(snapshot) ?? null), canonicalJson(extra))
  t.same(
    decodeExtra(encode(undefined, { ids: [] })),
    { ids: [] },
    'a deleted document keeps it too',
  )
})

await t.test('below the authority nothing of that is left', async t => {
  const snapshot = encode({ score: 1 }, { ids: ['c1-17'] })
  for (const ceiling of [0, 1, 239, 240, 254]) {
    const projected = projectSnapshot(snapshot, ceiling)
    t.equal(projected.pieces.length, 1, `${ceiling}`)
    t.equal(projected.manifest.pieces.length, 1)
    t.notOk(projected.pieces.some(piece => Buffer.from(piece).includes('c1-17')))
    t.equal(projected.manifest.at, at)
    t.same(decodeSnapshot(projected).state, { score: 1 })
    t.equal(decodeExtra(projected), undefined)
  }
  t.equal(projectSnapshot(snapshot, 255), snapshot, 'itself when nothing is dropped')
})

await t.test('pieces that are not what pieces are, are refused', async t => {
  const shapes: Record<string, (string | Uint8Array)[]> = {
    'no JSON': ['[["",{}]'],
    'nothing at all': [''],
    'not UTF-8': [Uint8Array.of(0x5b, 0xff, 0x5d)],
    'an object': ['{}'],
    'no pairs': ['[1]'],
    'a pair of one': ['[[""]]'],
    'a pair of three': ['[["",{},1]]'],
    'a pointer that is a number': ['[[0,{}]]'],
    'a root that is an array': ['[["",[]]]'],
    'a root that is a number': ['[["",7]]'],
    'a child before its root': ['[["/a",1]]'],
    'no pointer': ['[["",{}],["a",1]]'],
    'no pointer after one': ['[["",{}],["/b",1],["a",1]]'],
    'a stray tilde': ['[["",{}],["/~",1]]'],
    'a stray tilde after a pointer': ['[["",{}],["/b",1],["/~",1]]'],
    'into what was replaced': ['[["",{"a":{}}],["/a/b",1],["/a",1],["/a/c",1]]'],
    'into what the whole has no more': ['[["",{"a":{}}],["/a/b",1],["",{}],["/a/c",1]]'],
    'a parent that is not there': ['[["",{}],["/a/b",1]]'],
    'a parent that is a number': ['[["",{"a":1}],["/a/b",1]]'],
    'a parent that is a text': ['[["",{"a":"x"}],["/a/length",1]]'],
    'a place past the end of an array': ['[["",{"a":[]}],["/a/1",1]]'],
    'a place in an array that is taken': ['[["",{"a":[1]}],["/a/0",2]]'],
    'the place - in an array': ['[["",{"a":[]}],["/a/-",1]]'],
    'the length of an array': ['[["",{"a":[]}],["/a/length",9]]'],
    'a place with a leading zero': ['[["",{"a":[[]]}],["/a/00/0",1]]'],
    'a member every object inherits': ['[["",{}],["/toString/x",1]]'],
    'the prototype': ['[["",{}],["/__proto__",{"x":1}]]'],
    'into the prototype': ['[["",{}],["/__proto__/x",1]]'],
    'the constructor': ['[["",{}],["/constructor",{}]]'],
    'into the constructor': ['[["",{}],["/constructor/prototype",{}]]'],
    'a value deeper than documents are': [`[["",{"a":${'['.repeat(100)}${']'.repeat(100)}}]]`],
    'a place deeper than documents are': [
      `[${Array.from({ length: 66 }, (_, at) => `["${'/a'.repeat(at)}",{}]`).join()}]`,
    ],
    'in the second piece': ['[["",{}]]', '[["/a/b",1]]'],
  }
  for (const [name, texts] of Object.entries(shapes)) {
    t.throws(() => decodeSnapshot(handMade(...texts)), badFrame, name)
  }
  t.equal(Object.hasOwn(Object.prototype, 'x'), false)
  const inOrder = handMade('[["",{"a":[]}],["/a/0",1]]', '[["/a/1",2]]')
  t.same(decodeSnapshot(inOrder).state, { a: [1, 2] })
})

await t.test('a manifest that lists a piece which is not there is refused', async t => {
  const { manifest } = handMade('[["",{}]]', '[["/a",1]]')
  t.throws(() => decodeSnapshot({ manifest, pieces: [Buffer.from('[["",{}]]')] }), badFrame)
})

await t.test(
  'random and mutated pieces give a state or a protocol error, nothing else',
  async t => {
    const valid = '[["",{"a":[1,[2]],"b":{"c":"x"}}],["/a/2",{}],["/b/d~1e",[]],["/b/d~1e/0",null]]'
    const mutated = fc
      .array(
        fc.tuple(
          fc.nat(),
          fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('[]{}",/~0'))),
          fc.boolean(),
        ),
        {
          maxLength: 4,
        },
      )
      .map(changes => {
        const bytes = [...Buffer.from(valid)]
        for (const [index, byte, insert] of changes) {
          bytes.splice(index % bytes.length, insert ? 0 : 1, byte)
        }
        return Uint8Array.from(bytes)
      })
    const property = fc.property(fc.oneof(mutated, fc.uint8Array()), bytes => {
      try {
        decodeSnapshot(handMade(bytes))
        return true
      } catch (error) {
        return error instanceof Error && error.name === 'ProtocolError'
      }
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
  },
)
