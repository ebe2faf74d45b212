import type { LinkAuthenticator } from '@fanfold/websocket'
import t from 'tap'
import {
  createLinkAuthenticator,
  generateFleetKey,
  generateNodeKey,
  type IdentityKey,
  LinkIdentityError,
  type MintLinkTokenOptions,
  mintLinkToken,
} from '../src/link-identity.ts'

const nowMs = 1_700_000_000_000
const wallClock = (): number => nowMs
const fleet = generateFleetKey()
const nonce = new Uint8Array(32).fill(7)

const mint = async (
  nodeKey: IdentityKey,
  overrides: Partial<MintLinkTokenOptions> = {},
): Promise<string> =>
  await mintLinkToken({
    fleetPrivateKey: fleet.privateKey,
    nodePublicKey: nodeKey.publicKey,
    node: 'edge-1',
    region: 'eu',
    roles: ['proxy', 'edge'],
    ceiling: 3,
    ttlMs: 3_600_000,
    wallClock,
    ...overrides,
  })

async function member(
  fleetPublicKeys: readonly string[] = [fleet.publicKey],
  overrides: Partial<MintLinkTokenOptions> = {},
): Promise<LinkAuthenticator> {
  const nodeKey = generateNodeKey()
  const token = await mint(nodeKey, overrides)
  const { privateKey } = nodeKey
  return await createLinkAuthenticator({
    token,
    privateKey,
    fleetPublicKeys,
    incarnation: 'first',
    wallClock,
  })
}

/** Why a promise was rejected; a resolved one has no reason. */
async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error instanceof LinkIdentityError ? error.reason : String(error)
  }
}

t.test(
  'a node learns who the other one is from its token, and that it is it from its proof',
  async t => {
    const parent = await member()
    const child = await member([fleet.publicKey], { node: 'edge-2', ceiling: 0 })
    const { identity, verifyProof } = await parent.verify(child.token())
    t.strictSame(identity, { node: 'edge-2', region: 'eu', roles: ['proxy', 'edge'], ceiling: 0 })
    t.equal(await verifyProof(nonce, await child.sign(nonce)), true)
    t.equal(child.incarnation, 'first')
  },
)

t.test('a proof by another key, over other bytes or cut short is none', async t => {
  const parent = await member()
  const child = await member()
  const { verifyProof } = await parent.verify(child.token())
  const proof = await child.sign(nonce)
  t.equal(await verifyProof(nonce, await parent.sign(nonce)), false)
  t.equal(
    await verifyProof(
      nonce.map(byte => byte + 1),
      proof,
    ),
    false,
  )
  t.equal(await verifyProof(nonce, proof.subarray(0, 63)), false)
  t.equal(await verifyProof(nonce, new Uint8Array(0)), false)
})

t.test('a token of another fleet is refused', async t => {
  const other = generateFleetKey()
  const stranger = await mint(generateNodeKey(), { fleetPrivateKey: other.privateKey })
  t.equal(await reasonOf((await member()).verify(stranger)), 'signature')
})

t.test(
  'while a fleet key is replaced, tokens of both are accepted, and of a third none',
  async t => {
    const next = generateFleetKey()
    const rotating = await member([next.publicKey, fleet.publicKey])
    const { privateKey } = next
    t.ok(await rotating.verify(await mint(generateNodeKey())))
    t.ok(await rotating.verify(await mint(generateNodeKey(), { fleetPrivateKey: privateKey })))
    const third = await mint(generateNodeKey(), { fleetPrivateKey: generateFleetKey().privateKey })
    t.equal(await reasonOf(rotating.verify(third)), 'signature')
  },
)

t.test('an expired token is refused, whichever fleet key signed it', async t => {
  const expired = await mint(generateNodeKey(), { wallClock: () => nowMs - 3_700_000 })
  const next = generateFleetKey()
  for (const keys of [[fleet.publicKey], [next.publicKey, fleet.publicKey]]) {
    t.equal(await reasonOf((await member(keys)).verify(expired)), 'expired')
  }
  const reversed = await member([fleet.publicKey, next.publicKey])
  t.equal(await reasonOf(reversed.verify(expired)), 'expired')
})

t.test('a ceiling that was raised on the way is refused', async t => {
  const token = await mint(generateNodeKey(), { ceiling: 0 })
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const raised = Buffer.from(JSON.stringify({ ...claims, ceiling: 255 })).toString('base64url')
  t.equal(await reasonOf((await member()).verify(`${header}.${raised}.${signature}`)), 'signature')
})

t.test('what is not a link token is refused', async t => {
  const parent = await member()
  for (const token of ['', 'hello', 'a.b.c']) {
    t.equal(await reasonOf(parent.verify(token)), 'malformed')
  }
})

t.test('nothing is minted that no node would accept', async t => {
  const nodeKey = generateNodeKey()
  t.equal(await reasonOf(mint(nodeKey, { ceiling: 256 })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { ceiling: -1 })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { roles: [] })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { roles: ['king'] })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { node: 'a b' })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { region: '' })), 'claims')
  t.equal(await reasonOf(mint(nodeKey, { nodePublicKey: 'short' })), 'claims')
})

t.test(
  'a node does not start with a token that others would refuse, or of another key',
  async t => {
    const nodeKey = generateNodeKey()
    const start = (token: string, overrides: object = {}): Promise<LinkAuthenticator> =>
      createLinkAuthenticator({
        token,
        privateKey: nodeKey.privateKey,
        fleetPublicKeys: [fleet.publicKey],
        incarnation: 'first',
        wallClock,
        ...overrides,
      })
    const token = await mint(nodeKey)
    t.ok(await start(` ${token}\n`))
    t.equal(await reasonOf(start(await mint(generateNodeKey()))), 'proof')
    t.equal(await reasonOf(start(token, { wallClock: () => nowMs + 3_700_000 })), 'expired')
    await t.rejects(start(token, { fleetPublicKeys: [] }), /one or two fleet keys, got 0/)
    await t.rejects(start(token, { fleetPublicKeys: ['x'] }), /43 characters of base64url/)
    await t.rejects(start(token, { privateKey: 'hunter2' }), {
      message: 'the private key is not a PEM of a private key',
    })
  },
)
