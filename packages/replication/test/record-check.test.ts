import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { LogRecord, partTags, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { RecordCheck } from '../src/record-check.ts'
import { after, doc } from './build-stream.ts'
import { labelled } from './labelled-log.ts'

const { records } = labelled
const chain = new Chain(sha256)
const below = (ceiling: number): LogRecord[] =>
  records.map(record => chain.project(record, ceiling))

t.test('records that follow are fresh, up to the first that does not', async t => {
  const check = new RecordCheck(doc, sha256)
  const all = check.check(records, zeroPosition, partTags.authority)
  t.equal(all.fresh.length, records.length)
  t.match(all.position, after(records.at(-1)))
  t.match(check.check(records.slice(1), zeroPosition, partTags.authority), { broken: 'gap' })
  const foreign = [records[0], records[2]].flatMap(record => record ?? [])
  t.match(check.check(foreign, zeroPosition, 255), { broken: 'gap', fresh: { length: 1 } })
})

t.test('what was sent under a ceiling is within it', async t => {
  const check = new RecordCheck(doc, sha256)
  for (const ceiling of [0, 1, 2, 239, 255]) {
    const { fresh, broken } = check.check(below(ceiling), zeroPosition, ceiling)
    t.match({ broken, fresh }, { broken: undefined, fresh: { length: records.length } })
  }
})

t.test('a record with a part above the ceiling is the breach of who sent it', async t => {
  const check = new RecordCheck(doc, sha256)
  for (const ceiling of [0, 1, 2, 239]) {
    t.throws(() => check.check(records, zeroPosition, ceiling), { code: 'FANFOLD_BAD_FRAME' })
  }
})

t.test('one that was damaged on its way is no breach', async t => {
  const [first] = below(0)
  const damaged = first?.bytes.slice() ?? new Uint8Array()
  // The tag of its one part, behind the salt.
  damaged[damaged.length - (first?.parts()[0]?.length ?? 0) + 16] = 7
  const check = new RecordCheck(doc, sha256)
  t.match(check.check([LogRecord.decode(damaged)], zeroPosition, 0), { broken: 'hash' })
})
