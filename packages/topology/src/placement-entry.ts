/*
 * What an operator has said of where a tenant's or a document's writes go, and how much a tenant may take.
 *
 * An entry is changed by compare-and-set on its version, and never deleted: released, it names no node and
 * keeps counting, so that no version ever stands for two things, and an entry that is missing was lost.
 */
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { asDocumentKey, badFrame } from '@fanfold/protocol'
import { Fields, namePattern, nameRule, type TextRule } from './fields.ts'

/** What is under way with an entry's node: it serves, it serves until others do, it hands over to `to`. */
export const placementStates = ['active', 'draining', 'migrating'] as const

/** One of them. */
export type PlacementState = (typeof placementStates)[number]

/** What one tenant may take in the whole fleet; undefined for as much as there is. */
export type TenantQuota = {
  readonly documentsMax: number | undefined
  readonly viewersMax: number | undefined
  readonly bytesPerSecondMax: number | undefined
}

/** One subject's placement. */
export type PlacementEntry = {
  /** A tenant, or a document's key. */
  readonly subject: string
  /** 1 for the first; one more with each change. */
  readonly version: number
  /** One more each time that another node is named. */
  readonly epoch: number
  /** Whose it is; undefined for whoever it would be without the entry. */
  readonly node: string | undefined
  readonly state: PlacementState
  /** While it migrates: where to. */
  readonly to: string | undefined
  /** Of tenants alone. */
  readonly quota: TenantQuota | undefined
  /** Who said so, why, and when by their wall clock, ms since 1970: for people. */
  readonly who: string
  readonly why: string
  readonly atMs: number
}

/** What is wished of a subject; the rest follows from the entry that it changes. */
export type PlacementWish = Omit<PlacementEntry, 'version' | 'epoch'>

/** Bounds of what operators say. */
export const placementLimits = {
  placementBytesMax: { value: 4_096, unit: 'bytes', meaning: 'one placement, as it is kept' },
  placementsMax: {
    value: 10_000,
    unit: 'placements',
    meaning: 'tenants and documents of which something is said; further ones are refused',
  },
} as const

const counts = { min: 0, max: Number.MAX_SAFE_INTEGER }
const numbers = { min: 1, max: Number.MAX_SAFE_INTEGER }
const who: TextRule = { pattern: /^[^\p{Cc}\p{Cs}]{1,128}$/u, shape: '1 to 128 characters' }
const why: TextRule = { pattern: /^[^\p{Cc}\p{Cs}]{0,512}$/u, shape: 'at most 512 characters' }
const anything: TextRule = { pattern: /^/, shape: 'a tenant or a document key' }

/** True for a tenant's name or a document's key. */
export const isPlacementSubject = (text: string): boolean =>
  namePattern.test(text) || asDocumentKey(text) !== undefined

/** The entry that a wish makes of the one before. */
export function nextEntry(before: PlacementEntry | undefined, wish: PlacementWish): PlacementEntry {
  assert(
    before === undefined || before.subject === wish.subject,
    `a wish changes its own subject, got ${wish.subject} for ${before?.subject}`,
  )
  const isMoved = before?.node !== wish.node
  return {
    ...wish,
    version: (before?.version ?? 0) + 1,
    epoch: (before?.epoch ?? 0) + (isMoved ? 1 : 0),
  }
}

/**
 * An entry from what was kept.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`, naming the field, what it must be and what it is
 */
export function decodePlacement(bytes: Uint8Array): PlacementEntry {
  const fields = Fields.parse('a placement', bytes, placementLimits.placementBytesMax.value)
  const name = (field: string): string | undefined =>
    fields.has(field) ? fields.text(field, nameRule) : undefined
  const entry: PlacementEntry = {
    subject: fields.text('subject', anything),
    version: fields.integer('version', numbers),
    epoch: fields.integer('epoch', counts),
    node: name('node'),
    state: fields.choice('state', placementStates),
    to: name('to'),
    quota: fields.has('quota') ? decodeQuota(fields.object('quota')) : undefined,
    who: fields.text('who', who),
    why: fields.text('why', why),
    atMs: fields.integer('atMs', counts),
  }
  const problem = problemOf(entry)
  return problem === undefined ? entry : badFrame(`a placement: ${problem}`)
}

/** An entry as it is kept: JSON with its fields in one order. */
export function encodePlacement(entry: PlacementEntry): Uint8Array {
  const { quota } = entry
  return encodeUtf8(
    JSON.stringify({
      subject: entry.subject,
      version: entry.version,
      epoch: entry.epoch,
      node: entry.node,
      state: entry.state,
      to: entry.to,
      quota: quota && {
        documentsMax: quota.documentsMax,
        viewersMax: quota.viewersMax,
        bytesPerSecondMax: quota.bytesPerSecondMax,
      },
      who: entry.who,
      why: entry.why,
      atMs: entry.atMs,
    }),
  )
}

/** What is wrong with the fields together. */
function problemOf({ subject, node, state, to, quota }: PlacementEntry): string | undefined {
  if (!isPlacementSubject(subject)) {
    return `subject is a tenant or a document key, got ${JSON.stringify(subject.slice(0, 100))}`
  }
  if (node === undefined && state !== 'active')
    return `state is active without a node, got ${state}`
  if ((to !== undefined) !== (state === 'migrating')) {
    return `to is there while it migrates and only then, got ${to} in state ${state}`
  }
  if (to !== undefined && to === node) return `to is another node than ${node}`
  if (quota !== undefined && subject.includes('/')) return `a quota is a tenant’s, got ${subject}`
  return undefined
}

function decodeQuota(fields: Fields): TenantQuota {
  const count = (field: string): number | undefined =>
    fields.has(field) ? fields.integer(field, counts) : undefined
  return {
    documentsMax: count('documentsMax'),
    viewersMax: count('viewersMax'),
    bytesPerSecondMax: count('bytesPerSecondMax'),
  }
}
