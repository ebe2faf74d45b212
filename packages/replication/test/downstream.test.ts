import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain, decodeState, encodeSnapshot, type Snapshot } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import {
  encodeRecord,
  type LinkEffect,
  type LinkFrame,
  type LogRecord,
  limits,
  type Position,
  partTags,
  zeroHash,
} from '@fanfold/protocol'
import t from 'tap'
import { Downstream, headOf, type JoinRequest, refusal } from '../src/downstream.ts'
import { RecordRing, type RingLimits } from '../src/record-ring.ts'
import {
  after,
  at,
  bytesOf,
  doc,
  framesOf,
  link,
  recordsOf,
  ringLimits,
  seqsOf,
  snapshotAt,
} from './build-stream.ts'

const log = recordsOf(40)
const child = link(1)
const bytesEach = log[1]?.bytes.length ?? 0

/** A parent whose ring holds records, and whose snapshots the test makes. */
class Rig {
  readonly ring: RecordRing
  readonly downstream: Downstream
  snapshotBytes = 0
  /** Snapshots made so far. */
  made = 0
  hasSnapshot = true
  last: Snapshot | undefined
  readonly #effects: LinkEffect[] = []

  constructor(count: number, options: Partial<RingLimits> = {}, list = log) {
    this.ring = new RecordRing(ringLimits(options))
    for (const record of list.slice(0, count)) this.ring.push(record, at(0))
    const take = (): Snapshot | undefined => this.#make()
    const last = (): Snapshot | undefined => this.last
    this.downstream = new Downstream({
      doc,
      channel: 7,
      ring: this.ring,
      chain: new Chain(sha256),
      source: {
        snapshot: take,
        get lastSnapshot() {
          return last()
        },
      },
    })
  }

  #make(): Snapshot | undefined {
    if (!this.hasSnapshot) return undefined
    if (this.last?.manifest.at.seq !== this.ring.lastSeq) {
      this.made++
      this.last = snapshotAt(headOf(this.ring), this.snapshotBytes)
    }
    return this.last
  }

  push(...records: readonly (LogRecord | undefined)[]): void {
    for (const record of records) if (record !== undefined) this.ring.push(record, at(0))
  }

  join(request: Partial<JoinRequest> = {}): void {
    const all: JoinRequest = {
      link: child,
      ceiling: 239,
      have: undefined,
      credit: 1_000_000,
      isCongested: false,
      ...request,
    }
    this.downstream.join(all, headOf(this.ring), this.#effects)
  }

  flush(): boolean {
    return this.downstream.flush(this.#effects)
  }

  /** What was sent since the last time, as effects. */
  effects(): LinkEffect[] {
    return this.#effects.splice(0)
  }

  /** What was sent to a child since the last time. */
  sent(to = child): LinkFrame[] {
    return framesOf(this.effects(), to)
  }

  resend(...indexes: number[]): void {
    this.downstream.resend(child, indexes, this.#effects)
  }

  end(): void {
    this.downstream.end('FANFOLD_DELETED', 'gone', this.#effects)
  }

  status(): void {
    this.downstream.status(true, 25, this.#effects)
  }

  statusTo(): void {
    this.downstream.statusTo(child, true, 25, this.#effects)
  }
}

const kindsOf = (frames: readonly LinkFrame[]): string[] => frames.map(({ kind }) => kind)

/** A rig with a child that has got everything. */
const settled = (count = 10, options: Partial<RingLimits> = {}): Rig => {
  const rig = new Rig(count, options)
  rig.join({ have: after(log[count - 1]) })
  rig.flush()
  rig.effects()
  return rig
}

t.test('what a child has decides: tail, snapshot or refused', async t => {
  // The ring holds 4 … 10: its base is 3.
  const later = buildLog({ doc, count: 1, epoch: 2, after: after(log[9]) })
  const cases: [name: string, have: Position | undefined, answer: string, seqs: number[]][] = [
    ['nothing', undefined, 'snapshot', []],
    ['the head', after(log[9]), 'tail', []],
    ['the one before the head', after(log[8]), 'tail', [10]],
    ['the base of the ring', after(log[2]), 'tail', [4, 5, 6, 7, 8, 9, 10]],
    ['the one before the base', after(log[1]), 'snapshot', []],
    ['another history at a seq of the ring', { ...after(log[6]), hash: zeroHash }, 'snapshot', []],
    [
      'another history, of an older epoch',
      { ...after(log[6]), epoch: 0, hash: zeroHash },
      'snapshot',
      [],
    ],
    ['an older epoch that went further', { epoch: 0, seq: 99, hash: zeroHash }, 'snapshot', []],
    ['more than the parent', after(log[10]), 'refused', []],
    ['a later epoch', later.end, 'refused', []],
  ]
  for (const [name, have, answer, seqs] of cases) {
    const rig = new Rig(10, { recordsMax: 7 })
    rig.join({ have })
    rig.flush()
    const frames = rig.sent()
    const [first] = frames
    t.equal(first?.kind === 'welcome' ? first.mode : first?.kind, answer, name)
    t.same(seqsOf(frames), seqs, name)
    if (answer === 'snapshot') t.match(frames[1], { manifest: { at: { seq: 10 } } }, name)
    t.equal(rig.downstream.count, answer === 'refused' ? 0 : 1)
  }
})

t.test('a welcome names the channel and the head', async t => {
  const rig = new Rig(5)
  rig.join()
  t.match(rig.sent(), [{ kind: 'welcome', doc, channel: 7, head: after(log[4]) }])
})

t.test('a refusal of a child that is ahead may pass', async t => {
  const rig = new Rig(5)
  rig.join({ have: after(log[9]) })
  t.match(rig.sent(), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT', retryAfterMs: 50 }])
})

t.test('all records that wait leave in one frame', async t => {
  const rig = settled()
  rig.push(...log.slice(10, 20))
  rig.flush()
  const frames = rig.sent()
  t.equal(frames.length, 1)
  t.same(seqsOf(frames), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
  rig.flush()
  t.same(rig.sent(), [])
})

t.test('a frame is filled up to its target, and a larger record goes alone', async t => {
  const target = limits.recordsFrameBytesTarget.value
  const { records } = buildLog({ doc, count: 9, recordBytes: target / 4 - 4 })
  const large = buildLog({ doc, count: 1, after: after(records[8]), recordBytes: target + 1 })
  const rig = new Rig(9, {}, records)
  rig.push(...large.records)
  rig.join({ have: after(records[0]) })
  rig.flush()
  const frames = rig.sent().slice(1)
  t.same(
    frames.map(frame => seqsOf([frame])),
    [[2, 3, 4, 5], [6, 7, 8, 9], [10]],
  )
})

t.test('children at one cursor share one frame by reference', async t => {
  const rig = new Rig(10)
  for (const number of [1, 2, 3]) rig.join({ link: link(number), have: after(log[9]) })
  rig.join({ link: link(4), have: after(log[8]) })
  rig.flush()
  rig.effects()
  rig.push(log[10])
  rig.flush()
  const [first, ...others] = bytesOf(rig.effects())
  t.equal(others.length, 3)
  t.ok(others.every(frame => frame === first))
})

t.test('without credit nothing goes; with it again, everything that waits', async t => {
  const rig = new Rig(4)
  rig.join({ have: after(log[3]), credit: 2 * bytesEach })
  rig.effects()
  rig.push(...log.slice(4, 9))
  rig.flush()
  t.same(seqsOf(rig.sent()), [5, 6])
  t.equal(rig.flush(), false)
  t.same(rig.sent(), [])
  rig.downstream.credit(child, 1)
  rig.flush()
  t.same(seqsOf(rig.sent()), [7], 'a record leaves while any credit is left')
  rig.downstream.credit(child, 100_000)
  rig.flush()
  t.same(seqsOf(rig.sent()), [8, 9])
})

t.test('a congested child gets nothing until its link has drained', async t => {
  const rig = settled()
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(10, 13))
  t.equal(rig.flush(), false)
  t.same(rig.sent(), [])
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.same(seqsOf(rig.sent()), [11, 12, 13])
})

t.test('a child that fell off the ring gets a snapshot, never a hole', async t => {
  const rig = settled(10, { recordsMax: 5 })
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(10, 15))
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.same(seqsOf(rig.sent()), [11, 12, 13, 14, 15], 'at the limit: still there')
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(15, 21))
  rig.downstream.setCongested(child, false)
  t.ok(rig.flush(), 'there is more to do at once')
  t.same(rig.sent(), [])
  rig.flush()
  t.match(rig.sent(), [{ kind: 'snapshot-begin', manifest: { at: { seq: 21 } } }, {}])
})

t.test('pieces leave eight at a time, and flush says that there are more', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 64_000 * 18
  rig.join()
  const turns: number[] = []
  let isMore = true
  while (isMore && turns.length < 10) {
    isMore = rig.flush()
    turns.push(rig.sent().filter(({ kind }) => kind === 'snapshot-piece').length)
  }
  const pieces = rig.last?.pieces.length ?? 0
  t.ok(pieces > 16 && pieces < 24, `${pieces} pieces`)
  t.same(turns, [8, 8, pieces - 16])
})

t.test('records that come during a snapshot follow it', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 64_000 * 10
  rig.join()
  rig.flush()
  rig.push(...log.slice(5, 8))
  rig.flush()
  const frames = rig.sent()
  t.same(seqsOf(frames), [6, 7, 8])
  t.equal(frames.at(-1)?.kind, 'records')
})

t.test('a snapshot is made once for all that need it', async t => {
  const rig = new Rig(5)
  for (const number of [1, 2, 3]) rig.join({ link: link(number) })
  rig.flush()
  t.equal(rig.made, 1)
  t.equal(rig.downstream.snapshotsSent, 3)
})

t.test('an older snapshot serves while what follows it is the smaller part', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 3 * bytesEach
  rig.join()
  rig.flush()
  rig.effects()
  rig.push(log[5], log[6])
  rig.join({ link: link(2) })
  rig.flush()
  t.equal(rig.made, 1)
  const frames = rig.sent(link(2))
  t.match(frames[1], { manifest: { at: { seq: 5 } } })
  t.same(seqsOf(frames), [6, 7])
  rig.push(...log.slice(7, 40))
  rig.join({ link: link(3) })
  rig.flush()
  t.equal(rig.made, 2)
  t.match(rig.sent(link(3))[1], { manifest: { at: { seq: 40 } } })
})

t.test('a child of another history is not served a snapshot from before what it has', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 10_000
  rig.join()
  rig.flush()
  rig.push(log[5], log[6])
  rig.join({ link: link(2), have: { ...after(log[5]), hash: zeroHash } })
  rig.effects()
  rig.flush()
  t.match(rig.sent(link(2))[0], { manifest: { at: { seq: 7 } } })
})

t.test('a child waits for a snapshot that is not to be had yet', async t => {
  const rig = new Rig(5)
  rig.hasSnapshot = false
  rig.join()
  t.equal(rig.flush(), false)
  t.same(kindsOf(rig.sent()), ['welcome'])
  rig.push(log[5])
  rig.flush()
  t.same(rig.sent(), [], 'records without their state are of no use')
  rig.hasSnapshot = true
  rig.flush()
  t.match(rig.sent(), [{ kind: 'snapshot-begin', manifest: { at: { seq: 6 } } }, {}])
})

t.test(
  'a piece that arrived damaged is sent again while the snapshot is the last thing sent',
  async t => {
    const rig = new Rig(5)
    rig.snapshotBytes = 200_000
    rig.join()
    rig.flush()
    rig.effects()
    rig.resend(1, 99)
    t.match(rig.sent(), [{ kind: 'snapshot-piece', index: 1, piece: rig.last?.pieces[1] }])
    rig.resend(...Array.from({ length: 50 }, () => 0))
    t.equal(rig.sent().length, 8, 'eight in a turn, whatever is asked')
    rig.push(log[5])
    rig.flush()
    rig.effects()
    rig.resend(1)
    t.same(rig.sent(), [])
    rig.downstream.leave(child)
    rig.resend(1)
    t.same(rig.sent(), [])
  },
)

t.test('parts above a child’s ceiling do not cross its link, and the chain holds', async t => {
  const chain = new Chain(sha256)
  let position = after(undefined)
  const labelled = [1, 2, 3].map(seq => {
    const part = (tag: number, text: string) => ({
      tag,
      salt: new Uint8Array(16).fill(seq),
      payload: encodeUtf8(text),
    })
    const bytes = encodeRecord({
      kind: seq === 1 ? 'create' : 'delta',
      key: doc,
      epoch: 1,
      seq,
      timeMs: seq,
      trace: new Uint8Array(16),
      parts: [part(0, '{}'), part(3, '"label three"'), part(255, '"only-authorities"')],
    })
    const record = chain.seal(bytes, position.hash)
    position = after(record)
    return record
  })
  for (const [ceiling, tags] of [
    [0, [0]],
    [3, [0, 3]],
    [239, [0, 3]],
    [255, [0, 3, 255]],
  ] as const) {
    const rig = new Rig(3, {}, labelled)
    rig.join({ ceiling, have: after(labelled[0]) })
    rig.flush()
    const effects = rig.effects()
    const records = framesOf(effects).flatMap(frame =>
      frame.kind === 'records' ? frame.records : [],
    )
    let before = labelled[0]?.chainHash ?? zeroHash
    for (const record of records) {
      t.same(
        record.parts().map(part => part[16]),
        tags,
        `ceiling ${ceiling}`,
      )
      t.ok(chain.verifies(record, before))
      before = record.chainHash
    }
    t.equal(records.length, 2)
    const text = Buffer.concat(bytesOf(effects)).toString('latin1')
    t.equal(text.includes('only-authorities'), ceiling === 255)
  }
})

t.test('pieces above a child’s ceiling do not cross its link', async t => {
  const rig = new Rig(5)
  rig.last = encodeSnapshot({
    at: headOf(rig.ring),
    state: { n: 5 },
    extra: { ids: 'only-authorities' },
    sha256,
  })
  rig.join()
  rig.flush()
  const effects = rig.effects()
  t.match(framesOf(effects)[1], { manifest: { pieces: [{ tag: partTags.public }] } })
  t.notOk(Buffer.concat(bytesOf(effects)).includes('only-authorities'))
})

t.test('after a restart everybody gets the snapshot', async t => {
  const rig = settled()
  rig.join({ link: link(2), have: after(log[9]) })
  rig.downstream.restart()
  rig.flush()
  const effects = rig.effects()
  t.ok(framesOf(effects, child).some(({ kind }) => kind === 'snapshot-begin'))
  t.ok(framesOf(effects, link(2)).some(({ kind }) => kind === 'snapshot-begin'))
})

t.test('at the end children are told and forgotten', async t => {
  const rig = settled()
  rig.end()
  t.match(rig.sent(), [{ kind: 'ended', channel: 7, code: 'FANFOLD_DELETED' }])
  t.equal(rig.downstream.count, 0)
  rig.push(log[10])
  rig.flush()
  t.same(rig.sent(), [])
})

t.test('staleness is told to all, or to one that is a child', async t => {
  const rig = settled()
  rig.join({ link: link(2), have: after(log[9]) })
  rig.effects()
  rig.status()
  t.equal(rig.effects().length, 2)
  rig.statusTo()
  t.match(rig.sent(), [{ kind: 'status', stale: true, ageMs: 25 }])
  rig.downstream.leave(child)
  rig.statusTo()
  t.same(rig.sent(), [])
})

t.test('a child that joins again begins again, with its new credit', async t => {
  const rig = settled()
  rig.downstream.setCongested(child, true)
  rig.join({ have: after(log[7]), credit: 1 })
  rig.flush()
  t.same(seqsOf(rig.sent()), [9])
  t.equal(rig.downstream.count, 1)
})

t.test('a snapshot of a deleted document has no pieces', async t => {
  const rig = new Rig(5)
  rig.last = encodeSnapshot({ at: headOf(rig.ring), state: undefined, sha256 })
  rig.join()
  t.equal(rig.flush(), false)
  t.match(rig.sent(), [{ kind: 'welcome' }, { kind: 'snapshot-begin', manifest: { pieces: [] } }])
  t.equal(decodeState(rig.last), undefined)
})

t.test('a refusal says for which document, why and for how long', async t => {
  t.same(refusal(doc, 'FANFOLD_BUSY', 'later', 5), {
    kind: 'refused',
    doc,
    code: 'FANFOLD_BUSY',
    message: 'later',
    retryAfterMs: 5,
  })
})
