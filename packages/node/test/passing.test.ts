import { buildLog } from '@fanfold/conformance'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { type Config, createConfig } from '../src/config.ts'
import type { Log, LogFields } from '../src/logging.ts'
import { Passing } from '../src/passing.ts'
import { silent } from './start-rig.ts'

const doc = parseDocumentKey('acme/board/one')
const { records } = buildLog({ doc, count: 4_000, isTraced: true })

/** What a node says of the records that tells of one in so many. */
function told(tracedOneOf: number, role = 'proxy'): LogFields[] {
  const lines: LogFields[] = []
  const config: Config = createConfig({ 'logging.tracedOneOf': tracedOneOf }, process.cwd())
  const log: Log = {
    ...silent,
    child: fields => ({ ...silent, info: line => void lines.push({ ...fields, ...line }) }),
  }
  new Passing({ log, config }, role).note(doc, records)
  return lines
}

t.test('of so many records one is told of, by its trace id', async t => {
  const lines = told(10)
  t.ok(lines.length > 300 && lines.length < 500, `${lines.length} of 4,000`)
  const [first] = lines
  const record = records[Number(first?.['seq']) - 1]
  t.match(first, { event: 'record.passed', role: 'proxy', doc, seq: record?.seq })
  t.equal(first?.['trace'], Buffer.from(record?.trace ?? []).toString('hex'))
  t.ok(Math.abs(Number(first?.['lagMs']) + Number(record?.timeMs) - Date.now()) < 60_000)
})

t.test('each node tells of the same ones', async t => {
  const seqsOf = (lines: readonly LogFields[]) => lines.map(({ seq }) => seq)
  t.same(seqsOf(told(100, 'edge')), seqsOf(told(100, 'authority')))
})

t.test('all are told of, or none', async t => {
  t.equal(told(1).length, records.length)
  t.same(told(0), [])
})
