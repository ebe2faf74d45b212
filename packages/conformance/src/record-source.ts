/*
 * What every source of a document's records does, whatever it is made of: a log that is read again, a
 * parent over a link. Whoever holds the document up to some place of the log is given what it lacks,
 * and from any place the same sequence follows.
 *
 * A source is read at the reader's pace: the next part is asked for when the last one was taken, and
 * a reader may leave between any two.
 */
import { Replica, type Snapshot } from '@fanfold/document'
import { assert, equalBytes } from '@fanfold/kernel'
import { type LogRecord, type Position, parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { type BuiltLog, buildLog, sha256 } from './build-log.ts'

/** What a source gives next. */
export type SourcePart =
  /** In place of everything held: the records after it follow. */
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** The next records, at least one. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] }

/** One document's records, for readers wherever they stand. */
export interface RecordSource {
  /**
   * What a reader lacks that holds the document up to `from`, up to the end of the log; all of it for
   * `zeroPosition`. A snapshot may come first, in place of records that are not held any more.
   */
  read(from: Position): AsyncIterable<SourcePart>
  /** Bytes on their way to readers, and how many there may be; undefined where nothing is. */
  unread?(): { readonly bytes: number; readonly bytesMax: number }
  close(): Promise<void>
}

/** Makes a source of a log, given as the stretches in which it was committed. */
export type OpenRecordSource = (log: readonly BuiltLog[]) => Promise<RecordSource>

const doc = parseDocumentKey('acme/match/final')

/** Adds the tests of a source of records to `t`, for one kind of source. */
export function testRecordSource(t: Test, open: OpenRecordSource): void {
  const openLog = async (t: Test, options: LogOptions = {}) => {
    const log = longLog(options)
    const source = await open(log)
    t.teardown(() => source.close())
    const records = log.flatMap(stretch => stretch.records)
    return { source, records }
  }

  t.test('the state at any place and what follows it make the whole', async t => {
    const { source, records } = await openLog(t)
    for (let held = 0; held <= records.length; held++) {
      const reader = new Reader(records, held)
      for await (const part of source.read(reader.position)) reader.take(part)
      t.same(reader.problems(), [], `from ${held}`)
    }
  })

  t.test('who holds everything is given nothing', async t => {
    const { source, records } = await openLog(t)
    const reader = new Reader(records, records.length)
    for await (const part of source.read(reader.position)) t.fail('a part', { part })
    t.same(reader.problems(), [])
  })

  t.test('who leaves after any part goes on later from there', async t => {
    const { source, records } = await openLog(t)
    for (const partsPerRead of [1, 2, 5]) {
      const reader = new Reader(records, 0)
      // Each read brings it further by a part at least.
      for (let read = 0; read <= records.length && !reader.isAtEnd; read++) {
        let parts = 0
        for await (const part of source.read(reader.position)) {
          reader.take(part)
          if (++parts === partsPerRead) break
        }
      }
      t.same(reader.problems(), [], `${partsPerRead} parts at a time`)
    }
  })

  t.test('readers at different places do not disturb each other', async t => {
    const { source, records } = await openLog(t)
    const readers = [0, 3, 17, 31].map(held => {
      const reader = new Reader(records, held)
      return { reader, parts: source.read(reader.position)[Symbol.asyncIterator]() }
    })
    let ended = 0
    while (ended < readers.length) {
      ended = 0
      for (const { reader, parts } of readers) {
        const next = await parts.next()
        if (next.done === true) ended++
        else reader.take(next.value)
      }
    }
    for (const { reader } of readers) t.same(reader.problems(), [])
  })

  t.test('a reader that takes nothing more holds the source back', async t => {
    const { source, records } = await openLog(t, { recordBytes: 4_096 })
    if (source.unread === undefined) {
      t.pass('it is read whole: there is nothing to hold back')
      return
    }
    // Near the end, as who lacks more may be given a snapshot.
    const reader = new Reader(records, records.length - 10)
    let most = 0
    for await (const part of source.read(reader.position)) {
      reader.take(part)
      const { bytes, bytesMax } = source.unread()
      most = Math.max(most, bytes)
      t.ok(bytes <= bytesMax, `${bytes} bytes on their way, at most ${bytesMax}`)
    }
    t.ok(most > 0, 'something was under way')
    t.same(reader.problems(), [])
  })
}

type LogOptions = { readonly recordBytes?: number }

/** A log of 40 records, whose writer changed twice. */
function longLog({ recordBytes }: LogOptions): BuiltLog[] {
  const first = buildLog({ doc, count: 16, recordBytes })
  const second = buildLog({ doc, count: 4, epoch: 2, after: first.end, recordBytes })
  const third = buildLog({ doc, count: 20, epoch: 5, after: second.end, recordBytes })
  return [first, second, third]
}

/** Holds a document up to some place, takes what a source gives, and notes what is wrong with it. */
class Reader {
  readonly #log: readonly LogRecord[]
  readonly #replica = new Replica(sha256)
  readonly #problems: string[] = []

  constructor(log: readonly LogRecord[], held: number) {
    this.#log = log
    for (const record of log.slice(0, held)) this.#replica.append(record)
  }

  get position(): Position {
    return this.#replica.position
  }

  get isAtEnd(): boolean {
    return this.position.seq === this.#log.length
  }

  take(part: SourcePart): void {
    if (part.kind === 'snapshot') this.#reset(part.snapshot)
    else if (part.records.length === 0) this.#problems.push('a part without records')
    else for (const record of part.records) this.#append(record)
  }

  /** What was wrong on the way, and what is missing at the end. */
  problems(): readonly string[] {
    const problems = [...this.#problems]
    const { seq, hash } = this.position
    const last = this.#log.at(-1)
    assert(last !== undefined, 'a log of at least one record')
    if (seq !== last.seq) problems.push(`it ends at ${seq}, the log at ${last.seq}`)
    if (!equalBytes(hash, last.chainHash)) problems.push('the chain ends in another hash')
    const state = JSON.stringify(this.#replica.state())
    if (state !== JSON.stringify(stateAfter(this.#log))) problems.push(`the state is ${state}`)
    return problems
  }

  #reset(snapshot: Snapshot): void {
    const { seq } = snapshot.manifest.at
    if (seq <= this.position.seq) this.#problems.push(`a snapshot at ${seq}, which is held`)
    this.#replica.reset(snapshot)
  }

  #append(record: LogRecord): void {
    const expected = this.#log[this.position.seq]
    if (expected === undefined || !equalBytes(record.bytes, expected.bytes)) {
      this.#problems.push(`after ${this.position.seq} comes ${record.seq}, or other bytes`)
    }
    this.#replica.append(record)
  }
}

function stateAfter(log: readonly LogRecord[]): unknown {
  const replica = new Replica(sha256)
  for (const record of log) replica.append(record)
  return replica.state()
}
