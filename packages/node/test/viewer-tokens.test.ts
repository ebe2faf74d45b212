import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT } from 'jose'
import t from 'tap'
import {
  createTokenVerifier,
  generateDevelopmentKey,
  type MintTokenOptions,
  mintToken,
  TokenError,
  tokenBytesMax,
} from '../src/viewer-tokens.ts'

const nowMs = 1_700_000_000_000
const wallClock = (): number => nowMs
const key = generateDevelopmentKey()
const pair = generateKeyPairSync('ed25519')
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const publicJwk = JSON.stringify(pair.publicKey.export({ format: 'jwk' }))

const mint = async (overrides: Partial<MintTokenOptions> = {}): Promise<string> =>
  await mintToken({
    key,
    subject: 'ada',
    documents: ['acme/match/*'],
    allow: ['observe', 'write'],
    ttlMs: 60_000,
    wallClock,
    ...overrides,
  })

/** A token that says anything, as another maker might sign it. */
const forge = async (payload: Record<string, unknown>, secret = key): Promise<string> =>
  await new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))

const good = { sub: 'ada', documents: ['**'], allow: ['observe'] }

/** Why a promise was rejected; a resolved one has no reason. */
async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error instanceof TokenError ? error.reason : String(error)
  }
}

t.test('a minted token gives the grants it was minted with', async t => {
  const token = await mint({ tenant: 'acme', claims: { plan: 'premium' } })
  t.strictSame(await createTokenVerifier({ key, wallClock }).verify(token), {
    subject: 'ada',
    tenant: 'acme',
    documents: ['acme/match/*'],
    allow: ['observe', 'write'],
    expiresAtMs: nowMs + 60_000 + 30_000,
    claims: { plan: 'premium' },
  })
})

t.test('an Ed25519 key serves as PEM and as JWK, and the private one checks too', async t => {
  const token = await mint({ key: privatePem })
  const privateJwk = JSON.stringify(pair.privateKey.export({ format: 'jwk' }))
  for (const accepted of [publicPem, publicJwk, privatePem, privateJwk]) {
    const grants = await createTokenVerifier({ key: accepted, wallClock }).verify(token)
    t.equal(grants.subject, 'ada')
  }
})

t.test('a token without an end has none', async t => {
  const grants = await createTokenVerifier({ key, wallClock }).verify(await forge(good))
  t.equal(grants.expiresAtMs, undefined)
  t.strictSame(grants.claims, {})
})

t.test('clocks may be apart by 30 seconds, not by more', async t => {
  const token = await mint({ ttlMs: 60_000 })
  const at = (ms: number): Promise<unknown> =>
    createTokenVerifier({ key, wallClock: () => nowMs + ms }).verify(token)
  t.ok(await at(89_000))
  t.equal(await reasonOf(at(90_000)), 'expired')
  const seconds = nowMs / 1000
  const early = await forge({ ...good, nbf: seconds + 30 })
  const tooEarly = await forge({ ...good, nbf: seconds + 31 })
  const verifier = createTokenVerifier({ key, wallClock })
  t.ok(await verifier.verify(early))
  t.equal(await reasonOf(verifier.verify(tooEarly)), 'not-yet-valid')
})

t.test('refused, without the token in the message:', async t => {
  const verifier = createTokenVerifier({ key, wallClock })
  const cases: readonly [name: string, token: string, reason: string][] = [
    ['no token', '', 'missing'],
    ['what is not a token', 'hello', 'malformed'],
    ['three parts of nonsense', 'a.b.c', 'malformed'],
    ['the algorithm none', new UnsecuredJWT(good).encode(), 'algorithm'],
    ['another algorithm than that of the key', await mint({ key: privatePem }), 'algorithm'],
    ['a signature of another key', await mint({ key: generateDevelopmentKey() }), 'signature'],
    ['a changed payload', swapPayload(await mint(), { ...good, sub: 'eve' }), 'signature'],
    ['a token longer than any', 'e'.repeat(tokenBytesMax + 1), 'too-large'],
    ['no subject', await forge({ documents: ['**'], allow: [] }), 'claims'],
    ['an empty subject', await forge({ ...good, sub: '' }), 'claims'],
    ['no documents', await forge({ sub: 'ada', allow: ['observe'] }), 'claims'],
    ['documents that are a text', await forge({ ...good, documents: '**' }), 'claims'],
    ['too many documents', await forge({ ...good, documents: Array(65).fill('**') }), 'claims'],
    ['an action that is none', await forge({ ...good, allow: ['admin'] }), 'claims'],
    ['claims that are a list', await forge({ ...good, claims: [] }), 'claims'],
    ['a tenant that is a number', await forge({ ...good, tenant: 7 }), 'claims'],
    ['an end that is a text', await forge({ ...good, exp: 'soon' }), 'claims'],
  ]
  for (const [name, token, reason] of cases) {
    await t.test(name, async t => {
      const error = await verifier.verify(token).then(
        () => undefined,
        (refusal: unknown) => refusal,
      )
      t.match(error, { code: 'FANFOLD_UNAUTHORIZED', reason })
      if (token.length > 5) t.notOk(String(error).includes(token))
    })
  }
})

t.test('a public key is never taken for a shared secret', async t => {
  const confused = await forge(good, publicPem)
  const verifier = createTokenVerifier({ key: publicPem, wallClock })
  t.equal(await reasonOf(verifier.verify(confused)), 'algorithm')
})

t.test('audience and issuer are those that the node names', async t => {
  const verifier = createTokenVerifier({ key, audience: 'cup', issuer: 'login', wallClock })
  t.ok(await verifier.verify(await mint({ audience: 'cup', issuer: 'login' })))
  t.equal(
    await reasonOf(verifier.verify(await mint({ audience: 'league', issuer: 'login' }))),
    'audience',
  )
  t.equal(await reasonOf(verifier.verify(await mint({ audience: 'cup', issuer: 'eve' }))), 'issuer')
  await t.rejects(verifier.verify(await mint()), { code: 'FANFOLD_UNAUTHORIZED' })
})

t.test('a key that is none is refused at once, and not quoted', async t => {
  t.throws(() => createTokenVerifier({}), TypeError)
  t.throws(() => createTokenVerifier({ key, jwksUrl: 'https://a' }), TypeError)
  t.throws(() => createTokenVerifier({ key: 'short' }), /at least 32 characters, got 5/)
  t.throws(() => createTokenVerifier({ key: '{"kty":"hunter2"}' }), {
    message: 'the key of tokens is not a JWK of the kind needed',
  })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  const rsaPem = rsa.export({ type: 'spki', format: 'pem' }).toString()
  t.throws(() => createTokenVerifier({ key: rsaPem }), /must be Ed25519, is rsa/)
  await t.rejects(mint({ key: publicPem }), TypeError)
})

t.test('nothing is minted that no node would accept', async t => {
  t.equal(await reasonOf(mint({ subject: '' })), 'claims')
  t.equal(await reasonOf(mint({ documents: [''] })), 'claims')
})

t.test('published keys are fetched once, and stay good when the URL is gone', async t => {
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'EdDSA' }
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const verifier = createTokenVerifier({ jwksUrl: `http://127.0.0.1:${port}/keys`, wallClock })
  const token = await new SignJWT({ ...good })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .sign(pair.privateKey)
  t.equal((await verifier.verify(token)).subject, 'ada')
  await new Promise(resolve => {
    server.close(resolve)
    server.closeAllConnections()
  })
  t.equal((await verifier.verify(token)).subject, 'ada')
  t.equal(requests, 1)
  t.equal(await reasonOf(verifier.verify(await forge(good))), 'algorithm')
  const unknown = await new SignJWT({ ...good })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'two' })
    .sign(pair.privateKey)
  t.equal(await reasonOf(verifier.verify(unknown)), 'unknown-key')
})

t.test('published keys that were never had refuse a token without blaming it', async t => {
  const server = createServer((_, response) => response.writeHead(500).end())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const verifier = createTokenVerifier({ jwksUrl: `http://127.0.0.1:${port}/keys`, wallClock })
  const token = await mint({ key: privatePem })
  t.equal(await reasonOf(verifier.verify(token)), 'keys-unavailable')
})

function swapPayload(token: string, payload: unknown): string {
  const [header = '', , signature = ''] = token.split('.')
  return [header, Buffer.from(JSON.stringify(payload)).toString('base64url'), signature].join('.')
}
