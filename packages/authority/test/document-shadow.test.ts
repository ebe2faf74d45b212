import { decodeExtra } from '@fanfold/document'
import t from 'tap'
import { answersOf, factsOf, framesOf, link, replicaOf, send } from './build-document.ts'
import { LargeRig } from './large-rig.ts'

/** A rig whose document is large. */
function largeRig(options?: ConstructorParameters<typeof LargeRig>[0]): LargeRig {
  const rig = new LargeRig(options)
  for (let count = 0; count < 6; count++) rig.grow(39_000)
  rig.effects()
  return rig
}

const texts = (state: unknown): number => (state as { texts: string[] }).texts.length

t.test('a document that grows large has a shadow from then on, which is fed', async t => {
  const rig = new LargeRig()
  rig.grow(39_000)
  rig.grow(39_000)
  t.equal(rig.count('worker-open'), 0)
  rig.grow(39_000)
  t.equal(rig.count('worker-open'), 1)
  t.equal(rig.count('worker-feed'), 0, 'its snapshot has all so far')
  rig.grow(39_000)
  t.equal(rig.count('worker-feed'), 1)
  t.equal(rig.count('worker-encode'), 0, 'nobody wants a snapshot')
})

t.test('a child gets what the shadow writes out, and the records after it', async t => {
  const rig = largeRig()
  rig.isPrompt = false
  rig.join()
  t.same(
    rig.frames().map(({ kind }) => kind),
    ['welcome'],
    'it is answered at once',
  )
  rig.write()
  rig.write()
  rig.answer()
  rig.settle()
  const frames = rig.frames()
  t.equal(frames[0]?.kind, 'snapshot-begin')
  t.match(frames.at(-1), { kind: 'records', records: [{}, {}] })
  t.match(replicaOf(frames).state(), { goals: { home: 2 }, texts: { length: 6 } })
  t.equal(rig.count('worker-encode'), 1)
})

t.test('a thousand joins are one snapshot, and as many again after a write one more', async t => {
  const rig = largeRig()
  rig.isPrompt = false
  for (let child = 1; child <= 1_000; child++) rig.join(link(child))
  t.equal(rig.count('worker-encode'), 1)
  rig.answer()
  rig.settle()
  for (let child = 1_001; child <= 2_000; child++) rig.join(link(child))
  rig.settle()
  t.equal(rig.count('worker-encode'), 1, 'nothing was written')
  const effects = rig.effects()
  for (const child of [1, 500, 1_000, 2_000]) {
    t.equal(texts(replicaOf(framesOf(effects, link(child))).state()), 6)
  }
})

t.test('packed pieces that the worker made go out as they are', async t => {
  let packed = 0
  const codec = {
    codecs: 1,
    pack: (bytes: Uint8Array) => {
      packed++
      return { codec: 1, bytes: bytes.slice(0, 10) }
    },
    unpack: () => undefined,
  }
  const rig = largeRig({ codec })
  rig.isPrompt = false
  rig.join(link(1), { codecs: 1 })
  const byWorker = packed
  t.ok(byWorker > 0)
  rig.answer()
  rig.settle()
  t.equal(packed, byWorker, 'nothing is packed on the loop')
  const pieces = rig.frames().filter(({ kind }) => kind === 'snapshot-piece')
  t.ok(pieces.length > 1 && pieces.every(piece => 'codec' in piece && piece.codec === 1))
})

t.test(
  'a shadow that was lost is seeded by what is at hand and the log, when it is needed',
  async t => {
    const rig = largeRig()
    rig.join()
    rig.settle()
    for (let count = 0; count < 3; count++) rig.grow(20_000)
    rig.lose()
    t.ok(factsOf(rig.effects()).includes('shadow-lost'))
    rig.pass(1_000)
    rig.write()
    t.equal(rig.count('worker-open'), 1, 'nobody needs it')
    t.match(rig.stateAtChild(), { goals: { home: 1 }, texts: { length: 9 } })
    t.equal(rig.count('worker-open'), 2)
    const reads = rig.logged.filter(({ kind }) => kind === 'log-read')
    t.ok(reads.length >= 2, 'what came after the snapshot is read, in batches')
    t.match(rig.effects(), [])
    rig.grow(20_000)
    t.equal(rig.asked.at(-1)?.kind, 'worker-feed', 'and it is fed again')
    t.equal(texts(rig.stateAtChild(link(78))), 10)
  },
)

t.test('records that are committed while a shadow catches up are not missed', async t => {
  const rig = largeRig()
  rig.join()
  rig.settle()
  for (let count = 0; count < 3; count++) rig.grow(20_000)
  rig.lose()
  rig.pass(1_000)
  rig.readsLog = false
  rig.join(link(2))
  const read = rig.logged.findLast(({ kind }) => kind === 'log-read')
  t.ok(read)
  if (read?.kind !== 'log-read') return
  for (let count = 0; count < 3; count++) rig.write()
  rig.readsLog = true
  const records = rig.log.records.slice(read.after, read.after + 1)
  rig.take({ kind: 'log-read', doc: read.doc, read: read.read, records })
  rig.settle()
  t.match(replicaOf(rig.frames(link(2))).state(), { goals: { home: 3 }, texts: { length: 9 } })
})

t.test('a child that gets no snapshot in time is refused, and the document goes on', async t => {
  const rig = largeRig()
  rig.isPrompt = false
  rig.join()
  rig.join(link(2), { have: rig.position })
  rig.effects()
  rig.pass(4_900)
  t.same(rig.frames(), [])
  rig.pass(200)
  const effects = rig.effects()
  t.match(framesOf(effects, link(1)), [
    { kind: 'refused', code: 'FANFOLD_BUSY', retryAfterMs: 1_000 },
  ])
  rig.write()
  t.match(rig.frames(link(2)), [{ kind: 'records' }], 'who has the tail is served')
  rig.join(link(3))
  rig.answer()
  rig.settle()
  t.equal(texts(replicaOf(rig.frames(link(3))).state()), 6)
})

t.test(
  'a worker that always fails is not asked again at once, and nobody waits for ever',
  async t => {
    const rig = largeRig()
    rig.isPrompt = false
    rig.join()
    rig.lose()
    let opens = 0
    for (let count = 0; count < 200; count++) {
      rig.pass(100)
      if (rig.count('worker-open') > opens + 1) {
        opens = rig.count('worker-open') - 1
        rig.lose()
      }
    }
    t.ok(opens > 2 && opens < 20, `${opens} times in 20 s`)
    t.match(rig.frames(), [{ kind: 'welcome' }, { kind: 'refused', code: 'FANFOLD_BUSY' }])
  },
)

t.test(
  'a log that cannot be read does not bring a shadow back, and harms nothing else',
  async t => {
    const rig = largeRig()
    rig.join()
    rig.settle()
    for (let count = 0; count < 3; count++) rig.grow(20_000)
    rig.lose()
    rig.pass(1_000)
    rig.effects()
    rig.readsLog = false
    rig.join(link(2))
    const read = rig.logged.findLast(({ kind }) => kind === 'log-read')
    if (read?.kind !== 'log-read') throw new Error('the log is read')
    const refused = { code: 'FANFOLD_LOG_DAMAGED', message: 'byte 7' } as const
    rig.take({ kind: 'log-read-refused', doc: read.doc, read: read.read, ...refused })
    t.ok(factsOf(rig.effects()).includes('shadow-lost'))
    t.equal(rig.asked.at(-1)?.kind, 'worker-close')
    const request = rig.write()
    t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed' } }])
  },
)

t.test('a snapshot that is not of the record it was asked for is not served', async t => {
  const rig = largeRig()
  rig.isPrompt = false
  rig.join()
  rig.effects()
  const encode = rig.asked.at(-1)
  const open = rig.asked.find(({ kind }) => kind === 'worker-open')
  if (encode === undefined || open?.kind !== 'worker-open') throw new Error('it was opened')
  const { replica } = encode
  rig.take({ kind: 'worker-encoded', replica, snapshot: open.snapshot, packed: [] })
  t.same(rig.frames(), [])
  t.equal(rig.asked.at(-1)?.kind, 'worker-close')
  rig.isPrompt = true
  rig.pass(1_000)
  rig.settle()
  t.equal(texts(replicaOf(rig.frames()).state()), 6, 'a new shadow serves the child')
})

t.test('a document is small again under half of the limit, not before', async t => {
  const rig = new LargeRig()
  rig.grow(39_000)
  rig.grow(39_000)
  rig.grow(39_000)
  t.equal(rig.count('worker-close'), 0)
  rig.write({ action: send('drop', { left: 2 }) })
  t.equal(rig.count('worker-close'), 0)
  rig.grow(39_000)
  t.equal(rig.count('worker-open'), 1)
  rig.write({ action: send('drop', { left: 1 }) })
  t.equal(rig.count('worker-close'), 1)
  t.equal(texts(rig.stateAtChild()), 1)
  t.equal(rig.count('worker-encode'), 0)
})

t.test('a document that is deleted has no shadow', async t => {
  const rig = largeRig()
  rig.join()
  rig.settle()
  rig.write({ action: { type: 'delete' } })
  t.equal(rig.asked.at(-1)?.kind, 'worker-close')
  t.equal(rig.worker.count, 0)
})

t.test(
  'a large document without children leaves memory when it rests, with its shadow',
  async t => {
    const rig = largeRig({ limits: { restAfterMs: 1_000, unloadAfterMs: 60_000 } })
    rig.join()
    rig.settle()
    rig.pass(5_000)
    t.equal(rig.authority.documentCount, 1, 'a child observes it')
    t.equal(rig.worker.count, 1)
    rig.take({ kind: 'link-closed', link: link(1), reason: 'gone' })
    rig.pass(5_000)
    t.equal(rig.authority.documentCount, 0)
    t.equal(rig.worker.count, 0)
    t.equal(texts(rig.stateAtChild()), 6, 'and comes back')
  },
)

t.test('the log of a large document gets snapshots with what only authorities keep', async t => {
  const rig = largeRig({ limits: { snapshotEveryRecords: 12 } })
  for (let count = 0; count < 20; count++) {
    rig.write({ action: send('text', { bytes: 30_000 }), id: `id-${count}` })
  }
  rig.settle()
  const { snapshot, records } = rig.log
  t.ok(snapshot)
  if (snapshot === undefined) return
  t.match(decodeExtra(snapshot), { ids: [Array], lastTimeMs: Number })
  const seqs = rig.logged.filter(({ kind }) => kind === 'log-keep-snapshot').length
  t.ok(seqs > 0 && seqs < 5, `${seqs} snapshots for 20 writes`)
  const last = records.at(-1)?.seq
  const next = rig.restarted()
  next.write({ id: 'id-3' })
  next.settle()
  t.match(answersOf(next.effects()), [{ answer: { kind: 'committed', epoch: 1 } }])
  t.equal(next.log.records.at(-1)?.seq, last, 'it is answered again, not committed again')
})

t.test('a snapshot for the log that a lost shadow did not make is made by the next', async t => {
  const rig = largeRig({ limits: { snapshotEveryRecords: 10 } })
  rig.isPrompt = false
  for (let count = 0; count < 10; count++) rig.grow(39_000)
  t.ok(rig.count('worker-encode') > 0)
  t.equal(rig.log.snapshot, undefined)
  rig.lose()
  rig.isPrompt = true
  rig.pass(1_000)
  rig.write()
  rig.write()
  rig.settle()
  t.ok(rig.log.snapshot)
})

t.test('answers to a replica that is gone, or was never there, are nothing', async t => {
  const rig = largeRig()
  rig.take({ kind: 'worker-failed', replica: 99 as never, message: 'who?' })
  t.same(rig.effects(), [])
})
