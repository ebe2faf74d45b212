import t from 'tap'
import {
  generateFleetKey,
  generateNodeKey,
  type IdentityKey,
  mintLinkToken,
} from '../src/link-identity.ts'
import { createVariantTrust, inProcessTrust, type VariantTrust } from '../src/variant-trust.ts'

const fleet = generateFleetKey()

async function memberOf(
  fleetKey: IdentityKey,
  overrides: { roles?: string[]; ttlMs?: number; trusts?: string[] } = {},
): Promise<VariantTrust> {
  const { roles = ['authority'], ttlMs = 3_600_000, trusts = [fleetKey.publicKey] } = overrides
  const node = generateNodeKey()
  const token = await mintLinkToken({
    fleetPrivateKey: fleetKey.privateKey,
    nodePublicKey: node.publicKey,
    node: 'authority-1',
    region: 'eu',
    roles,
    ceiling: 239,
    ttlMs,
    wallClock: () => Date.now() - 7_200_000,
  })
  return createVariantTrust({ token, privateKey: node.privateKey, fleetPublicKeys: trusts })
}

const code = 'module.exports = 1'

t.test('what an authority of the fleet has signed is trusted at every node of it', async t => {
  const authority = await memberOf(fleet)
  const edge = await memberOf(fleet, { roles: ['edge'] })
  const variant = authority.sign('match', code)
  await t.resolves(edge.verify(variant))
  t.equal(variant.hash.length, 32)
  t.match(variant, { type: 'match' })
})

t.test('a variant outlives the token of its signer', async t => {
  const authority = await memberOf(fleet, { ttlMs: 60_000 })
  await t.resolves((await memberOf(fleet)).verify(authority.sign('match', code)))
})

t.test('an edge may not sign, nor another fleet', async t => {
  const trust = await memberOf(fleet)
  const edge = await memberOf(fleet, { roles: ['proxy', 'edge'] })
  await t.rejects(trust.verify(edge.sign('match', code)), { message: /no authority/ })
  const stranger = await memberOf(generateFleetKey())
  await t.rejects(trust.verify(stranger.sign('match', code)), { code: 'FANFOLD_BAD_TOKEN' })
  await t.rejects(trust.verify(inProcessTrust.sign('match', code)), {
    message: /not of this fleet/,
  })
})

t.test('neither text nor type nor signature may be changed', async t => {
  const trust = await memberOf(fleet)
  const variant = trust.sign('match', code)
  const other = trust.sign('match', `${code}0`)
  await t.rejects(trust.verify({ ...variant, code: other.code }), { message: /another hash/ })
  await t.rejects(trust.verify({ ...variant, type: 'auction' }), { message: /signature/ })
  await t.rejects(trust.verify({ ...other, signature: variant.signature }), {
    message: /signature/,
  })
  await t.rejects(trust.verify({ ...variant, token: 'x.y.z' }), { code: 'FANFOLD_BAD_TOKEN' })
})

t.test('within a process the hash is enough, and must be right', async t => {
  const variant = inProcessTrust.sign('match', code)
  await t.resolves(inProcessTrust.verify(variant))
  const other = inProcessTrust.sign('match', `${code}0`)
  await t.rejects(inProcessTrust.verify({ ...variant, code: other.code }), {
    message: /another hash/,
  })
})
