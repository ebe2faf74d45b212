import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { doc, makeClient, makeTemporaryDirectory } from './temporary.ts'

const program = fileURLToPath(new URL('./append-forever.js', import.meta.url))

t.test('nothing that was acknowledged is lost when the process is killed', async t => {
  const directory = makeTemporaryDirectory(t)
  let acknowledged = 0
  for (const answersBeforeKill of [1, 40, 7, 90, 25]) {
    const before = acknowledged
    acknowledged = await killAfter(directory, answersBeforeKill)
    t.ok(acknowledged > before, `${acknowledged} after ${before}`)
    const client = makeClient(t, directory)
    const { records, answer } = await client.open(doc)
    t.equal(answer.kind, 'log-opened')
    const seqs = records.map(record => record.seq)
    t.ok(seqs.every((seq, index) => seq === index + 1))
    t.ok(seqs.length >= acknowledged, `${seqs.length} records, ${acknowledged} acknowledged`)
    await client.store.close()
  }
})

/** Runs the program until it has told so many answers, kills it, and gives the last seq it told. */
async function killAfter(directory: string, answers: number): Promise<number> {
  const child = spawn(process.execPath, [program, directory, doc], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > answers) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return Number(text.split('\n').at(-2))
}
