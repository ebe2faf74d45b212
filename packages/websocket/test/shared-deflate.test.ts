import { constants, inflateRawSync } from 'node:zlib'
import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { SharedDeflate } from '../src/shared-deflate.ts'

const alike = (bytes: number): Uint8Array => encodeUtf8('abcdefgh'.repeat(bytes / 8))
const trailer = Buffer.from([0, 0, 0xff, 0xff])
const inflate = (deflated: Buffer): Buffer =>
  inflateRawSync(Buffer.concat([deflated, trailer]), { finishFlush: constants.Z_SYNC_FLUSH })

t.test('what was deflated is what it was, and is deflated once', t => {
  const deflate = new SharedDeflate()
  for (const bytes of [192, 1_000, 100_000, 1_048_576]) {
    const payload = alike(bytes)
    const deflated = deflate.of(payload) ?? Buffer.from(payload)
    t.ok(deflated.length < payload.length / 4)
    t.ok(inflate(deflated).equals(payload), `${bytes} bytes`)
    t.equal(deflate.of(payload), deflated, 'the very same')
  }
  t.equal(deflate.stats().plainBytes, 192 + 1_000 + 100_000 + 1_048_576, 'each counts once')
  t.end()
})

t.test('what is short, too long or does not shrink is left as it is', t => {
  const deflate = new SharedDeflate()
  t.equal(deflate.of(alike(184)), undefined)
  t.equal(deflate.of(alike(1_048_584)), undefined)
  t.same(deflate.stats(), { plainBytes: 0, deflatedBytes: 0 }, 'without trying')
  const noise = Uint8Array.from({ length: 1_000 }, (_, at) => (at * at * 7_919 + at * 31) >> 5)
  t.equal(deflate.of(noise), undefined)
  t.equal(deflate.of(noise), undefined)
  t.same(deflate.stats(), { plainBytes: 1_000, deflatedBytes: 1_000 }, 'once')
  t.end()
})
