import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, compactVerify } from 'jose'
import t from 'tap'
import { signedPayload } from '../src/token-signature.ts'

const pair = generateKeyPairSync('ed25519')
const secret = createSecretKey('a secret of some length, for tests only', 'utf8')
const other = createSecretKey('another secret of some length, for tests', 'utf8')

const keys: readonly (readonly [KeyObject, KeyObject, string[]])[] = [
  [secret, secret, ['HS256']],
  [pair.privateKey, pair.publicKey, ['EdDSA', 'Ed25519']],
]

const sign = async (
  payload: string,
  key: KeyObject,
  header: { readonly alg: string; readonly [name: string]: unknown },
): Promise<string> =>
  await new CompactSign(Buffer.from(payload)).setProtectedHeader(header).sign(key)

const textOf = (payload: string | undefined): string | undefined =>
  payload === undefined ? undefined : Buffer.from(payload, 'base64url').toString()

t.test('what is signed with the key, by its algorithm, is verified', async t => {
  for (const [signer, key, algorithms] of keys) {
    for (const alg of algorithms) {
      const token = await sign('{"sub":"ada"}', signer, { alg, typ: 'JWT' })
      t.equal(textOf(signedPayload(token, key, algorithms)), '{"sub":"ada"}', alg)
    }
  }
})

t.test('nothing else is:', async t => {
  const token = await sign('{"sub":"ada"}', secret, { alg: 'HS256' })
  const [head = '', payload = '', signature = ''] = token.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const cases: readonly [string, string][] = [
    ['another key', await sign('{"sub":"ada"}', other, { alg: 'HS256' })],
    ['another algorithm', await sign('{"sub":"ada"}', pair.privateKey, { alg: 'EdDSA' })],
    ['no algorithm', `${none}.${payload}.`],
    ['no algorithm, with a signature', `${none}.${payload}.${signature}`],
    [
      'another payload',
      `${head}.${Buffer.from('{"sub":"eve"}').toString('base64url')}.${signature}`,
    ],
    ['no signature', `${head}.${payload}.`],
    ['half a signature', `${head}.${payload}.${signature.slice(0, 20)}`],
    ['a signature with more behind it', `${token}AAAA`],
    ['a signature written another way', `${token}=`],
    [
      'a signature with what is no base64url',
      `${head}.${payload}.${signature.slice(0, 9)}!${signature.slice(9)}`,
    ],
    ['four parts', `${token}.`],
    ['two parts', `${head}.${payload}`],
    ['a header that is no JSON', `aaaa.${payload}.${signature}`],
    [
      'a header that is null',
      `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`,
    ],
    ['nothing', ''],
  ]
  for (const [name, text] of cases) {
    t.equal(signedPayload(text, secret, ['HS256']), undefined, name)
  }
  const critical = await new CompactSign(Buffer.from('{}'))
    .setProtectedHeader({ alg: 'HS256', crit: ['b64'], b64: true })
    .sign(secret)
  t.equal(signedPayload(critical, secret, ['HS256']), undefined, 'a header that asks for more')
})

/** True for a token whose signature is written as an encoder writes it: jose takes other last bits too. */
function isPlain(token: string): boolean {
  const signature = token.split('.')[2] ?? ''
  return Buffer.from(signature, 'base64url').toString('base64url') === signature
}

t.test(
  'a signature with other bits behind its end is jose’s to take, and not taken here',
  async t => {
    const token = await sign('VP', secret, { alg: 'HS256' })
    const last = token.slice(-1)
    const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    const same = others.filter(one => {
      const other = `${token.slice(0, -1)}${one}`
      return (
        one !== last &&
        Buffer.from(other.split('.')[2] ?? '', 'base64url').equals(
          Buffer.from(token.split('.')[2] ?? '', 'base64url'),
        )
      )
    })
    t.equal(same.length, 3, 'of the last six bits four count')
    for (const one of same) {
      const other = `${token.slice(0, -1)}${one}`
      await compactVerify(other, secret)
      t.equal(signedPayload(other, secret, ['HS256']), undefined)
    }
  },
)

t.test('a token that is verified here is one that jose verifies, and the reverse', async t => {
  for (const [signer, key, algorithms] of keys) {
    const [alg = ''] = algorithms
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.option(fc.record({ at: fc.nat(), to: fc.constantFrom('A', 'z', '.', '=', '-') })),
        async (payload, damage) => {
          const token = await sign(payload, signer, { alg })
          const at = damage === null ? 0 : damage.at % token.length
          const shown =
            damage === null ? token : `${token.slice(0, at)}${damage.to}${token.slice(at + 1)}`
          const verified = await compactVerify(shown, key, { algorithms }).then(
            verified => Buffer.from(verified.payload).toString('base64url'),
            () => undefined,
          )
          const expected = isPlain(shown) ? verified : undefined
          return signedPayload(shown, key, algorithms) === expected
        },
      ),
      { numRuns: 200 },
    )
  }
  t.pass('in every case')
})
