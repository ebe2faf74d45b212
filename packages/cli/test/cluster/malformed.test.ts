import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cluster } from './cluster.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { realdataPath, realdataSkip } from './recording.ts'

t.setTimeout(400_000)
const cluster = await Cluster.open(t)
const { token } = cluster
const node = await cluster.start({ name: 'node', roles: ['authority', 'edge'] })
const state = join(cluster.directory, 'state.json')
writeFileSync(state, '{"board":{"a":1}}')

/** Feeds a file into a document of its own; the report, and what the document then is. */
async function feed(
  t: Test,
  id: string,
  path: string,
): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly view: unknown }> {
  const doc = `a/timing/${id}`
  const { code, output, errors } = await runFanfold(
    ['feed', path, '--doc', doc, '--initial', state, '--speed', 'max', '--json'],
    { FANFOLD_URL: node.url, FANFOLD_TOKEN: token },
  )
  t.equal(code, 0, errors)
  const viewer = await RawViewer.open({ url: node.url, token, doc })
  await viewer.untilSeq(2)
  viewer.close()
  return { report: JSON.parse(output), view: viewer.state }
}

await t.test('lines that are of no use are counted, named and skipped', async t => {
  const path = join(cluster.directory, 'with-errors.ndjson')
  const good = (value: number): string => JSON.stringify({ topic: 'board', delta: { a: value } })
  const lines = [
    good(2),
    '{"topic":"board","delta":{"a":',
    '',
    '["board", {"a": 7}]',
    '{"topic":"board"}',
    '{"topic":7,"delta":{}}',
    '{"topic":"board","delta":{"constructor":{"a":7}}}',
    'board 7',
    good(3),
    '{"topic":"board","delta":{"a":1e999}}',
    '\u0000',
  ]
  const notUtf8 = Buffer.from('{"topic":"board","delta":"\xff"}\n', 'latin1')
  writeFileSync(path, Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), notUtf8]))
  const { report, view } = await feed(t, 'hand-made', path)
  t.match(report, { lines: 12, sent: 2, skipped: 1, malformed: 9 })
  t.match(report['malformedLines'], [
    { line: 2 },
    { line: 4 },
    { line: 5 },
    { line: 6 },
    { line: 7 },
  ])
  t.same(view, { board: { a: 3 } })
  t.ok(node.isRunning)
})

await t.test(
  'a recording with broken lines only leaves the document as it is',
  { skip: realdataSkip },
  async t => {
    const path = realdataPath('f1-fastf1-with-errors/with_errors.txt')
    const lineCount = readFileSync(path, 'utf8').trimEnd().split('\n').length
    const { report, view } = await feed(t, 'broken', path)
    t.match(report, { sent: 0, malformed: lineCount })
    t.same(view, { board: { a: 1 } })
  },
)
