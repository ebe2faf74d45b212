/*
 * Long logs of tiny changes: a text that is typed. The real traces are played up to `editsMax`
 * messages, unless FANFOLD_WHOLE_TRACES=1 asks for all of them.
 */
import { statSync } from 'node:fs'
import { type ChunkedText, readText } from '@fanfold/example-timing/dist/chunked-text.js'
import { segmentPaths } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { RawViewer } from './raw-viewer.ts'
import { type EditingTrace, editingTrace, realdataSkip, seededTrace } from './recording.ts'
import { startTree } from './tree.ts'
import { Writer } from './writer.ts'

const isWhole = process.env['FANFOLD_WHOLE_TRACES'] === '1'
const editsMax = isWhole ? Number.POSITIVE_INFINITY : 20_000
/** The log stays under ten times the inserted text and so many bytes for each edit. */
const logBytesPerEditMax = 200
t.setTimeout(isWhole ? 600_000 : 120_000)
const tree = await startTree(t)
const { token } = tree.cluster

async function play(t: Test, id: string, trace: EditingTrace): Promise<void> {
  const doc = `a/text/${id}`
  const messages = trace.messages.slice(0, editsMax)
  const writer = await Writer.open({ url: tree.authority.url, token })
  const [start, ...rest] = messages.map(patches => ({ message: 'splice', value: { patches } }))
  if (start === undefined) throw new Error(`${trace.name} has edits`)
  await writer.send(doc, start)
  const viewers = [await RawViewer.open({ url: tree.edge.url, token, doc })]
  const startedAt = performance.now()
  const lastSeq = await writer.sendAll(doc, rest, { deadlineMs: isWhole ? 300_000 : 50_000 })
  const seconds = (performance.now() - startedAt) / 1_000
  viewers.push(await RawViewer.open({ url: tree.edge.url, token, doc }))

  const text = messages.length === trace.messages.length ? trace.endContent : typed(messages)
  for (const viewer of viewers) {
    await viewer.untilSeq(lastSeq, 50_000)
    t.same(viewer.problems, [], 'ranges adjoin and every delta applies')
    t.equal(readText(viewer.state as ChunkedText), text, 'the text is what was typed')
    viewer.close()
  }
  writer.close()
  const inserted = messages.flat().reduce((sum, [, , insert]) => sum + Buffer.byteLength(insert), 0)
  const bytes = segmentPaths(tree.data, doc).reduce((sum, path) => sum + statSync(path).size, 0)
  const perEdit = (bytes - 10 * inserted) / messages.length
  t.ok(perEdit < logBytesPerEditMax, `${perEdit} bytes of log an edit beside 10 times its text`)
  const rate = Math.round(messages.length / seconds)
  t.comment(
    `${trace.name}: ${messages.length} edits, ${rate}/s, ${bytes} bytes of log, ` +
      `${Math.round(bytes / messages.length)} each, ${Math.round(perEdit)} beside 10 x the text`,
  )
}

/** What the edits make, in one piece: an oracle for the text in chunks. */
function typed(messages: EditingTrace['messages']): string {
  let text = ''
  for (const [position, deleted, insert] of messages.flat()) {
    const from = unitsOf(text, position)
    text = text.slice(0, from) + insert + text.slice(from + unitsOf(text.slice(from), deleted))
  }
  return text
}

/** Half surrogate pairs included, as strings count; code points are what edits count. */
function unitsOf(text: string, codePoints: number): number {
  const start = text.slice(0, codePoints)
  if (!/[\ud800-\udfff]/.test(start)) return start.length
  return Array.from(text).slice(0, codePoints).join('').length
}

await t.test('a text typed by chance arrives at the edge', async t => {
  await play(t, 'c', seededTrace('typing', 4_000))
})

for (const [id, name] of [
  ['p', 'automerge-paper'],
  ['r', 'rustcode'],
  ['s', 'seph-blog1'],
] as const) {
  await t.test(`the text of ${name} arrives at the edge`, { skip: realdataSkip }, async t => {
    await play(t, id, editingTrace(name))
  })
}
