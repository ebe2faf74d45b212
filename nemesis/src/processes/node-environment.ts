import {
  type ConfigName,
  generateNodeKey,
  type IdentityKey,
  mintLinkToken,
  type Role,
} from '@fanfold/node'
import { labelMax } from '@fanfold/protocol'

/** Longer than anything that is tried on processes. */
const linkTokenMs = 24 * 3_600_000

/**
 * What a node of a fleet is told in its environment: who it is, with a key of its own and the fleet's word
 * for that, and options.
 */
export async function nodeEnvironment(node: {
  readonly fleet: IdentityKey
  readonly name: string
  readonly roles: readonly Role[]
  /** The highest label that its link token lets through; all when left out. */
  readonly ceiling?: number | undefined
  /** `local` when left out. */
  readonly region?: string | undefined
  readonly options: Readonly<Partial<Record<ConfigName, string | number>>>
}): Promise<Record<string, string>> {
  const { fleet, name, roles, ceiling = labelMax, region = 'local' } = node
  const key = generateNodeKey()
  const linkToken = await mintLinkToken({
    fleetPrivateKey: fleet.privateKey,
    nodePublicKey: key.publicKey,
    node: name,
    region,
    roles,
    ceiling,
    ttlMs: linkTokenMs,
  })
  const options: Partial<Record<ConfigName, string | number>> = {
    'node.id': name,
    roles: roles.join(','),
    region,
    adminPort: 0,
    'link.token': linkToken,
    'link.privateKey': key.privateKey,
    'link.fleetPublicKeys': fleet.publicKey,
    ...node.options,
  }
  return Object.fromEntries(
    Object.entries(options).map(([option, value]) => [variableOf(option), String(value)]),
  )
}

/** The environment variable of an option: `limits.viewersMax` is `FANFOLD_LIMITS__VIEWERS_MAX`. */
const variableOf = (option: string): string =>
  `FANFOLD_${option.replace(/[A-Z]/g, '_$&').replaceAll('.', '__').toUpperCase()}`
