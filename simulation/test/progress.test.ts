import t from 'tap'
import { Progress } from '../src/progress.ts'

function open(isTTY: boolean) {
  const written: string[] = []
  const progress = new Progress({ isTTY, write: text => written.push(text) }, 0)
  return { progress, written }
}

t.test('in a file progress is a line now and then', async t => {
  const { progress, written } = open(false)
  for (const nowMs of [1, 9_999, 10_000, 10_001, 20_000]) progress.tell(`at ${nowMs}`, nowMs)
  progress.write(['done', 'well'])
  t.same(written, ['at 10000\n', 'at 20000\n', 'done\nwell\n'])
})

t.test('on a terminal it is one line that changes, and gives way to what stays', async t => {
  const { progress, written } = open(true)
  for (const nowMs of [199, 200, 201, 400]) progress.tell(`at ${nowMs}`, nowMs)
  progress.write(['done'])
  progress.write(['well'])
  t.same(written, ['at 200', '\r\u001b[2K', 'at 400', '\r\u001b[2K', 'done\n', 'well\n'])
})
