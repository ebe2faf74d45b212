/*
 * What every warm store does, whatever it is made of. Each test gets an empty rig; the stores that a rig
 * opens one after the other are those of one proxy that is started again.
 */
import {
  encodeSnapshot,
  type WarmDocument,
  type WarmInput,
  type WarmStore,
  type WarmStoreFactory,
} from '@fanfold/document'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { areSame, buildLog, sha256, snapshotOf } from './build-log.ts'
import { Inbox } from './inbox.ts'

/** One place where documents are kept. */
export type WarmStoreRig = {
  /** A store on it. It may be given up without being closed: that is a crash. */
  readonly open: WarmStoreFactory
  /** Lets virtual time pass, where the stores live in it. */
  readonly advance?: (() => void) | undefined
  /** From now on the disk fails each read, or none any more. */
  readonly failReads: (areFailing: boolean) => void
  /** Ends everything. */
  close(): Promise<void>
}

/** Makes an empty rig. */
export type OpenWarmStoreRig = () => Promise<WarmStoreRig>

/** A warm store in a test's hands. */
export class WarmClient {
  readonly store: WarmStore
  readonly #inbox: Inbox<WarmInput>

  /** @param advance lets virtual time pass, for stores that live in it */
  constructor(open: WarmStoreFactory, advance?: () => void) {
    this.#inbox = new Inbox(advance)
    this.store = open(input => this.#inbox.take(input))
  }

  /** All that the store has reported, in order. */
  get inputs(): readonly WarmInput[] {
    return this.#inbox.inputs
  }

  /** What is kept of a document. */
  async read(doc: DocumentKey): Promise<WarmDocument | undefined> {
    const from = this.inputs.length
    this.store.perform({ kind: 'warm-read', doc })
    const input = await this.#inbox.find(from, input =>
      input.kind === 'warm-read' && input.doc === doc ? input : undefined,
    )
    return input.document
  }

  /** Keeps a document; whether it is kept. */
  async keep(doc: DocumentKey, document: WarmDocument): Promise<boolean> {
    const from = this.inputs.length
    this.store.perform({ kind: 'warm-keep', doc, document })
    const input = await this.#inbox.find(from, input =>
      input.kind === 'warm-kept' && input.doc === doc ? input : undefined,
    )
    return input.isKept
  }

  /** What was kept is kept no more; nothing answers. */
  drop(doc: DocumentKey): void {
    this.store.perform({ kind: 'warm-drop', doc })
  }
}

/** A document at the end of a log of `count` records, with a snapshot in the middle. */
export function warmDocument(
  doc: DocumentKey,
  options: {
    readonly count?: number
    readonly ceiling?: number
    readonly recordBytes?: number
  } = {},
): WarmDocument {
  const { count = 6, ceiling = 0, recordBytes } = options
  const half = buildLog({ doc, count: Math.ceil(count / 2), recordBytes })
  const { records } = buildLog({
    doc,
    count: Math.max(1, count >> 1),
    after: half.end,
    recordBytes,
  })
  return { snapshot: snapshotOf(half), records, ceiling }
}

/** True when both hold the same bytes. */
export const isSameDocument = (a: WarmDocument | undefined, b: WarmDocument): boolean =>
  a !== undefined &&
  a.ceiling === b.ceiling &&
  areSame(a.records, b.records) &&
  textOf(a.snapshot.pieces) === textOf(b.snapshot.pieces) &&
  JSON.stringify(a.snapshot.manifest) === JSON.stringify(b.snapshot.manifest)

const textOf = (pieces: readonly Uint8Array[]): string =>
  pieces.map(piece => Buffer.from(piece).toString('latin1')).join('|')

const doc = parseDocumentKey('acme/match/final')

/** Adds the tests of the WarmStore port to `t`, for one adapter. */
export function testWarmStorePort(t: Test, openRig: OpenWarmStoreRig): void {
  const makeClients = async (t: Test): Promise<() => WarmClient> => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    return () => new WarmClient(rig.open, rig.advance)
  }

  t.test('of a document that was never kept there is nothing', async t => {
    const client = (await makeClients(t))()
    t.equal(await client.read(doc), undefined)
  })

  t.test('what was kept comes back byte for byte, to the next run too', async t => {
    const make = await makeClients(t)
    const client = make()
    const kept = warmDocument(doc, { ceiling: 3 })
    t.equal(await client.keep(doc, kept), true)
    t.ok(isSameDocument(await client.read(doc), kept))
    await client.store.close()
    t.ok(isSameDocument(await make().read(doc), kept))
  })

  t.test('of what the disk does not let be read there is nothing, and it is kept anew', async t => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    const client = new WarmClient(rig.open, rig.advance)
    const kept = warmDocument(doc)
    await client.keep(doc, kept)
    rig.failReads(true)
    t.equal(await client.read(doc), undefined)
    rig.failReads(false)
    await client.keep(doc, kept)
    t.ok(isSameDocument(await client.read(doc), kept))
  })

  t.test('a snapshot alone is kept, also one of a document that was deleted', async t => {
    const client = (await makeClients(t))()
    const { end: at } = buildLog({ doc, count: 3 })
    for (const state of [{ n: 3 }, undefined]) {
      const snapshot = encodeSnapshot({ at, state, definition: undefined, sha256 })
      const kept = { snapshot, records: [], ceiling: 239 }
      await client.keep(doc, kept)
      t.ok(isSameDocument(await client.read(doc), kept))
    }
  })

  t.test('what is kept takes the place of what was kept before', async t => {
    const make = await makeClients(t)
    const client = make()
    for (const count of [20, 4, 12]) await client.keep(doc, warmDocument(doc, { count }))
    await client.store.close()
    t.ok(isSameDocument(await make().read(doc), warmDocument(doc, { count: 12 })))
  })

  t.test('what is dropped is gone, in the order of the effects', async t => {
    const make = await makeClients(t)
    const client = make()
    client.drop(doc)
    const kept = client.keep(doc, warmDocument(doc))
    client.drop(doc)
    t.equal(await client.read(doc), undefined)
    t.equal(await kept, true)
    await client.store.close()
    t.equal(await make().read(doc), undefined)
  })

  t.test('many documents at once do not mix', async t => {
    const client = (await makeClients(t))()
    const docs = Array.from({ length: 60 }, (_, index) => parseDocumentKey(`acme/table/${index}`))
    await Promise.all(
      docs.map((doc, index) => client.keep(doc, warmDocument(doc, { count: index + 1 }))),
    )
    const found = await Promise.all(docs.map(doc => client.read(doc)))
    t.ok(
      docs.every((doc, index) =>
        isSameDocument(found[index], warmDocument(doc, { count: index + 1 })),
      ),
    )
  })

  t.test('a large document comes back', async t => {
    const client = (await makeClients(t))()
    const after = buildLog({ doc, count: 2 })
    const rows = Array.from({ length: 6_000 }, (_, index) => [`row-${index}`, 'x'.repeat(500)])
    const snapshot = encodeSnapshot({
      at: after.end,
      state: Object.fromEntries(rows),
      definition: undefined,
      sha256,
    })
    const { records } = buildLog({ doc, count: 5_000, after: after.end, recordBytes: 1_000 })
    const kept = { snapshot, records, ceiling: 0 }
    t.equal(await client.keep(doc, kept), true)
    t.ok(isSameDocument(await client.read(doc), kept))
  })

  t.test('nothing is answered from inside an effect', async t => {
    const client = (await makeClients(t))()
    const kept = client.keep(doc, warmDocument(doc))
    const read = client.read(doc)
    t.equal(client.inputs.length, 0)
    await kept
    await read
  })

  t.test('close waits for what was begun', async t => {
    const make = await makeClients(t)
    const client = make()
    client.store.perform({ kind: 'warm-keep', doc, document: warmDocument(doc) })
    await client.store.close()
    t.same(client.inputs, [{ kind: 'warm-kept', doc, isKept: true }])
    t.ok(isSameDocument(await make().read(doc), warmDocument(doc)))
  })
}
