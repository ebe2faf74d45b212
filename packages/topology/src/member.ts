/*
 * What a node says of itself to all others, again and again while it lives.
 *
 * Who it is: a node id that outlives restarts, and an incarnation that does not. Placement goes by the id
 * alone; where the node is dialled is a property like any other. How long it has been up says which of two
 * incarnations is the later one, by no clock but the node's own.
 */
import { encodeUtf8 } from '@fanfold/kernel'
import { Fields, nameRule, type TextRule } from './fields.ts'
import { weightMax } from './rendezvous.ts'

/** What a node does. */
export const nodeRoles = ['authority', 'proxy', 'edge'] as const

/** One of them. */
export type NodeRole = (typeof nodeRoles)[number]

/** How busy a member is, for others to choose by; never for who owns what. */
export type MemberLoad = {
  readonly documents: number
  readonly viewers: number
  readonly children: number
  /** Bytes that it sends per second. */
  readonly bytesPerSecond: number
}

/** Which tenants an authority takes: those that a glob of `allow` matches and none of `deny` does. */
export type TenantRules = { readonly allow: readonly string[]; readonly deny: readonly string[] }

/** What a member announces. */
export type Member = {
  /** The node's id, the same after each restart. */
  readonly node: string
  /** 32 hexadecimal digits, drawn at each start. */
  readonly incarnation: string
  /** How long this incarnation has been up when it said so, by its own monotonic clock, ms. */
  readonly upMs: number
  readonly region: string
  readonly roles: readonly NodeRole[]
  /** Where other nodes dial it: `ws://…` or `wss://…`. */
  readonly address: string
  /** Where clients do, when that is another address. */
  readonly publicAddress: string | undefined
  /** Its share of what is placed, 0 … 1,000,000. */
  readonly weight: number
  readonly load: MemberLoad
  /** Highest tag of a part that may come to it, 0 … 255; others believe its token, not this. */
  readonly ceiling: number
  /** Version of its software, and of the protocol. */
  readonly version: string
  readonly protocol: number
  /** Fingerprint of its configured view, 64 hexadecimal digits. */
  readonly fingerprint: string
  /** It follows the logs of the documents that it would take over, where it hears that they are in use. */
  readonly isHotStandby: boolean
  /** It is going away: it owns nothing from now on, and hands over what it has. */
  readonly isDraining: boolean
  readonly tenants: TenantRules
  /**
   * Nodes that it has tried to reach and cannot, with a hold-down of its own so that this does not flap: its
   * circuit breakers that are open. It is not elected to pull from them while another can.
   */
  readonly cutOffFrom: readonly string[]
  /**
   * The versions of all placements that it was told of, added up: who was told of more has more. Undefined
   * where it does not say.
   */
  readonly placementsHeard?: number | undefined
}

/** One bound of what is announced. */
export type TopologyLimit = {
  readonly value: number
  readonly unit: string
  readonly meaning: string
}

/** Bounds of an announcement; one that exceeds them is not read, and said to be so. */
export const memberLimits = {
  memberBytesMax: { value: 32_768, unit: 'bytes', meaning: 'one announcement of a member' },
  addressLengthMax: { value: 512, unit: 'characters', meaning: 'an address of a member' },
  cutOffMax: { value: 64, unit: 'nodes', meaning: 'nodes that a member says it cannot reach' },
  tenantGlobsMax: {
    value: 128,
    unit: 'globs',
    meaning: 'the tenants that an authority takes, and those that it does not',
  },
} as const

const incarnationRule: TextRule = { pattern: /^[0-9a-f]{32}$/, shape: '32 hexadecimal digits' }
const fingerprintRule: TextRule = { pattern: /^[0-9a-f]{64}$/, shape: '64 hexadecimal digits' }
const addressRule: TextRule = {
  pattern: /^(?=.{1,512}$)wss?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?$/,
  shape: 'ws://… or wss://… of at most 512 characters, without a query',
}
const versionRule: TextRule = { pattern: /^[\x21-\x7e]{1,40}$/, shape: '1 to 40 characters' }

/** What a glob over tenants must be. */
export const tenantGlobRule: TextRule = {
  pattern: /^[A-Za-z0-9_.~*-]{1,80}$/,
  shape: '1 to 80 of A-Z a-z 0-9 _ . ~ - *',
}

const counts = { min: 0, max: Number.MAX_SAFE_INTEGER }
const byteValues = { min: 0, max: 255 }

/** Every tenant. */
export const allTenants: TenantRules = { allow: ['*'], deny: [] }

/**
 * A member from what it announced.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`, naming the field, what it must be and what it is
 */
export function decodeMember(bytes: Uint8Array): Member {
  const fields = Fields.parse('a member', bytes, memberLimits.memberBytesMax.value)
  const load = fields.object('load')
  const tenants = fields.object('tenants')
  const globs = { ...tenantGlobRule, countMax: memberLimits.tenantGlobsMax.value }
  return {
    node: fields.text('node', nameRule),
    incarnation: fields.text('incarnation', incarnationRule),
    upMs: fields.integer('upMs', counts),
    region: fields.text('region', nameRule),
    roles: fields.choices('roles', nodeRoles),
    address: fields.text('address', addressRule),
    publicAddress: fields.has('publicAddress')
      ? fields.text('publicAddress', addressRule)
      : undefined,
    weight: fields.number('weight', { min: 0, max: weightMax }),
    load: {
      documents: load.integer('documents', counts),
      viewers: load.integer('viewers', counts),
      children: load.integer('children', counts),
      bytesPerSecond: load.integer('bytesPerSecond', counts),
    },
    ceiling: fields.integer('ceiling', byteValues),
    version: fields.text('version', versionRule),
    protocol: fields.integer('protocol', { min: 1, max: 65_535 }),
    fingerprint: fields.text('fingerprint', fingerprintRule),
    isHotStandby: fields.flag('isHotStandby'),
    isDraining: fields.flag('isDraining'),
    tenants: { allow: tenants.texts('allow', globs), deny: tenants.texts('deny', globs) },
    cutOffFrom: fields.texts('cutOffFrom', {
      ...nameRule,
      countMax: memberLimits.cutOffMax.value,
    }),
    placementsHeard: fields.has('placementsHeard')
      ? fields.integer('placementsHeard', counts)
      : undefined,
  }
}

// By the bytes in memory: nodes of one process are told of the same announcements again and again.
const read = new WeakMap<Uint8Array, Member>()

/**
 * A member from bytes that nobody writes to any more, read once however often they are told.
 *
 * @throws ProtocolError as `decodeMember` does
 */
export function readMember(bytes: Uint8Array): Member {
  const known = read.get(bytes)
  if (known !== undefined) return known
  const member = decodeMember(bytes)
  read.set(bytes, member)
  return member
}

/** What a member announces: JSON with its fields in one order, so that equal members are equal bytes. */
export function encodeMember(member: Member): Uint8Array {
  const { load, tenants } = member
  return encodeUtf8(
    JSON.stringify({
      node: member.node,
      incarnation: member.incarnation,
      upMs: member.upMs,
      region: member.region,
      roles: nodeRoles.filter(role => member.roles.includes(role)),
      address: member.address,
      publicAddress: member.publicAddress,
      weight: member.weight,
      load: {
        documents: load.documents,
        viewers: load.viewers,
        children: load.children,
        bytesPerSecond: load.bytesPerSecond,
      },
      ceiling: member.ceiling,
      version: member.version,
      protocol: member.protocol,
      fingerprint: member.fingerprint,
      isHotStandby: member.isHotStandby,
      isDraining: member.isDraining,
      tenants: { allow: tenants.allow, deny: tenants.deny },
      cutOffFrom: member.cutOffFrom,
      placementsHeard: member.placementsHeard,
    }),
  )
}

/** True when both say the same but for how long they are up, how busy they are and what they have heard. */
export function isSameStanding(one: Member, other: Member): boolean {
  // Each member is compared at each heartbeat, so field by field rather than as texts.
  return (
    one.node === other.node &&
    one.incarnation === other.incarnation &&
    one.region === other.region &&
    isSameList(one.roles, other.roles) &&
    one.address === other.address &&
    one.publicAddress === other.publicAddress &&
    one.weight === other.weight &&
    one.ceiling === other.ceiling &&
    one.version === other.version &&
    one.protocol === other.protocol &&
    one.fingerprint === other.fingerprint &&
    one.isHotStandby === other.isHotStandby &&
    one.isDraining === other.isDraining &&
    isSameList(one.tenants.allow, other.tenants.allow) &&
    isSameList(one.tenants.deny, other.tenants.deny) &&
    isSameList(one.cutOffFrom, other.cutOffFrom)
  )
}

const isSameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index])
