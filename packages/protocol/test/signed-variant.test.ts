import t from 'tap'
import { decodeLinkFrame } from '../src/decode-link-frame.ts'
import { limits } from '../src/limits.ts'
import { encodeLinkFrame } from '../src/link-frame.ts'
import { type SignedVariant, variantSigningBytes } from '../src/signed-variant.ts'

const badFrame = { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' }

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
