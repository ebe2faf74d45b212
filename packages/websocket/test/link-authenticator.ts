import { createPublicKey, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import type { LinkAuthenticator } from '@fanfold/websocket'

/** An authenticator whose token is its public key and name, which it trusts in others when they are fleet. */
export function testAuthenticator(overrides: {
  readonly node: string
  readonly token?: string
  /** Roles that it reads from the tokens of others. */
  readonly roles?: readonly string[]
  readonly sign?: LinkAuthenticator['sign']
  readonly verify?: LinkAuthenticator['verify']
}): LinkAuthenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { node, roles = ['proxy'] } = overrides
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64url')
  const token = overrides.token ?? `fleet ${node} ${key}`
  return {
    incarnation: randomUUID(),
    token: () => token,
    sign: overrides.sign ?? (async bytes => sign(null, bytes, privateKey)),
    verify:
      overrides.verify ??
      (async theirs => {
        const [fleet, name, der] = theirs.split(' ')
        if (fleet !== 'fleet' || name === undefined || der === undefined) {
          throw new Error('a secret reason')
        }
        const theirKey = createPublicKey({
          key: Buffer.from(der, 'base64url'),
          type: 'spki',
          format: 'der',
        })
        return {
          identity: { node: name, region: 'here', roles, ceiling: 3 },
          verifyProof: async (bytes, signature) => verify(null, bytes, theirKey, signature),
        }
      }),
  }
}
