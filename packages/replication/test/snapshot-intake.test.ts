import { sha256 } from '@fanfold/conformance'
import { plainCodec, type Snapshot } from '@fanfold/document'
import t from 'tap'
import { AnswerPatience } from '../src/answer-patience.ts'
import { AssemblyBudget } from '../src/assembly-budget.ts'
import { PiecePacker } from '../src/piece-packer.ts'
import { piecesAskedMax, SnapshotIntake } from '../src/snapshot-intake.ts'
import { after, at, recordsOf, snapshotAt } from './build-stream.ts'

const log = recordsOf(10)

/** Of more pieces than are asked for at a time. */
const snapshot: Snapshot = snapshotAt(after(log[0]), (piecesAskedMax + 4) * 65_536)

function begin(waitingBytesMax = 1_000): SnapshotIntake {
  const intake = SnapshotIntake.begin({
    manifest: snapshot.manifest,
    sha256,
    packer: new PiecePacker(plainCodec),
    budget: new AssemblyBudget(),
    patience: new AnswerPatience(2_000),
    waitingBytesMax,
    now: at(0),
  })
  if (intake === undefined) throw new Error('there is room for one')
  return intake
}

const give = (intake: SnapshotIntake, index: number) =>
  intake.take(index, plainCodec.pack(snapshot.pieces[index] ?? new Uint8Array(0)), at(0))

t.test('so many missing pieces are asked for at a time, from the first on', async t => {
  const intake = begin()
  const first = Array.from({ length: piecesAskedMax }, (_, index) => index)
  t.ok(snapshot.pieces.length > piecesAskedMax)
  t.same(intake.ask(), first, 'and no more')
  give(intake, 0)
  t.same(intake.ask(), [...first.slice(1), piecesAskedMax], 'the next one in place of what came')
})

t.test('records are kept until more wait than may', async t => {
  const intake = begin()
  let kept = 0
  for (const record of log.slice(1)) {
    const waitedBytes = intake.waitingBytes
    const isKept = intake.keep([record])
    t.equal(isKept, waitedBytes <= 1_000, `after ${waitedBytes} bytes`)
    if (isKept) kept++
  }
  t.equal(intake.waiting.length, kept)
  t.ok(kept < log.length - 1, 'the bound was reached')
})
