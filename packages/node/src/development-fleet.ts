/*
 * A development tree is a fleet of its own: its key is made at the first start and kept with its
 * data, so that further nodes can be given an identity by `fanfold token link` and join the tree.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { labelMax } from '@fanfold/protocol'
import type { LinkAuthenticator } from '@fanfold/websocket'
import {
  createLinkAuthenticator,
  generateFleetKey,
  generateNodeKey,
  mintLinkToken,
} from './link-identity.ts'
import { createVariantTrust, type VariantTrust } from './variant-trust.ts'

/** Who a development tree is to other nodes, and what its variants are signed with. */
export type DevelopmentIdentity = {
  readonly authenticator: LinkAuthenticator
  readonly variantTrust: VariantTrust
}

/** The node that the tree is to others, and how long it may be that without a new start, ms. */
const nodeName = 'dev'
const ttlMs = 30 * 24 * 3_600_000

/**
 * The identity of the tree in `directory`, where `fleet/fleet.pem` and `fleet/fleet.pub` are made when
 * they are not there.
 */
export async function developmentIdentity(
  directory: string,
  region: string,
): Promise<DevelopmentIdentity> {
  const fleet = join(directory, 'fleet')
  const files = { privateKey: join(fleet, 'fleet.pem'), publicKey: join(fleet, 'fleet.pub') }
  if (!existsSync(files.privateKey) || !existsSync(files.publicKey)) {
    const made = generateFleetKey()
    mkdirSync(fleet, { recursive: true, mode: 0o700 })
    writeFileSync(files.privateKey, made.privateKey, { mode: 0o600 })
    writeFileSync(files.publicKey, made.publicKey)
  }
  const fleetPrivateKey = readFileSync(files.privateKey, 'utf8')
  const fleetPublicKey = readFileSync(files.publicKey, 'utf8').trim()
  const key = generateNodeKey()
  const token = await mintLinkToken({
    fleetPrivateKey,
    nodePublicKey: key.publicKey,
    node: nodeName,
    region,
    roles: ['authority', 'proxy', 'edge'],
    ceiling: labelMax,
    ttlMs,
  })
  const identity = { token, privateKey: key.privateKey, fleetPublicKeys: [fleetPublicKey] }
  return {
    authenticator: await createLinkAuthenticator({
      ...identity,
      incarnation: randomBytes(8).toString('hex'),
    }),
    variantTrust: createVariantTrust(identity),
  }
}
