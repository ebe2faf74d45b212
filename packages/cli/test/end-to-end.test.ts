/* The command against a development tree in another process, over real sockets. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { digestOf } from '../src/digest.ts'
import { runCommand, startCommand, type Variables } from './command-process.ts'

// Some thirty commands, each a process of its own.
t.setTimeout(400_000)
const project = fileURLToPath(new URL('../../../../examples/timing', import.meta.url))
const directory = t.testdir({})

const dev = await startCommand(
  t,
  [
    'dev',
    project,
    ...['--port', '0', '--admin-port', '0', '--data', join(directory, 'dev')],
    ...['--quota', 'small documents=0', '--quota', '* documents=100'],
    '--json',
  ],
  { FANFOLD_TOKEN_KEY: 'a-key-for-tests-only-0123456789abcdef' },
)
const { observeUrls, writeUrl, token, operatorUrl } = JSON.parse(dev.firstLine)
const variables: Variables = { FANFOLD_URL: writeUrl, FANFOLD_TOKEN: token }
const run = (args: string[], input = '') => runCommand(args, variables, input)

await t.test('dev says first where everything is', async t => {
  t.match(observeUrls, [
    /^ws:\/\/127\.0\.0\.1:\d+\/v1\/observe$/,
    /^ws:\/\/127\.0\.0\.1:\d+\/edge\/2\/v1\/observe$/,
  ])
  t.match(operatorUrl, /^http:\/\/127\.0\.0\.1:\d+\/$/)
  t.equal((await fetch(new URL('/readyz', operatorUrl))).status, 200)
})

await t.test('a document is created, written, shown and deleted', async t => {
  const doc = 'acme/timing/life'
  t.match(await run(['create', doc]), { code: 0, stdout: /^created acme\/timing\/life as seq 2 / })
  t.match(await run(['create', doc]), { code: 1, stderr: /\[FANFOLD_EXISTS\]\n$/ })
  const sent = await run(['send', doc, 'merge', '-', '--json'], '{"topic":"A","delta":{"x":1}}')
  t.same(JSON.parse(sent.stdout), { epoch: 1, seq: 3 })
  const again = ['send', doc, 'merge', '{"topic":"A","delta":{"y":2}}', '--id', 'k', '--json']
  const first = await run(again)
  t.equal((await run(again)).stdout, first.stdout, 'the same id commits once')
  const view = { A: { x: 1, y: 2 } }
  const shown = await run(['get', doc, '--json'])
  t.same(JSON.parse(shown.stdout), { epoch: 1, seq: 4, view })
  t.equal((await run(['get', doc, '--hash'])).stdout, `${digestOf(view)}\n`)
  t.match(await run(['delete', doc]), { code: 0 })
  t.match(await run(['get', doc]), { code: 1, stderr: /\[FANFOLD_DELETED\]\n$/ })
})

await t.test('a tenant is bounded as dev was told', async t => {
  const { code, stderr } = await run(['create', 'small/timing/one'])
  t.equal(code, 1)
  t.match(stderr, /tenant small has as many documents .* allows: 0.*\[FANFOLD_QUOTA_EXCEEDED\]\n$/)
})

await t.test('what goes wrong has its exit code', async t => {
  const doc = 'acme/timing/none'
  t.match(await run(['get', doc]), { code: 1, stderr: /\[FANFOLD_NO_DOCUMENT\]\n$/ })
  t.match(await run(['get', doc, '--as', 'x']), { code: 1, stderr: /\[FANFOLD_UNAUTHORIZED\]\n$/ })
  t.match(await run(['send', doc, 'nope']), { code: 1, stderr: /\[FANFOLD_NO_MESSAGE\]\n$/ })
  const nowhere = ['--url', 'ws://127.0.0.1:1', '--timeout', '300ms']
  for (const args of [
    ['get', doc],
    ['tail', doc],
    ['send', doc, 'merge', '1'],
    ['create', doc],
  ]) {
    t.match(await run([...args, ...nowhere]), { code: 3, stderr: /\[FANFOLD_UNREACHABLE\]\n$/ })
  }
})

const lines = Array.from({ length: 300 }, (_, index) =>
  JSON.stringify({
    seq: index,
    ms: index,
    topic: `T${index % 7}`,
    delta: { [`k${index % 40}`]: index },
  }),
)
/** The state that the recording leads to. */
function playedState(): Record<string, Record<string, number>> {
  const state: Record<string, Record<string, number>> = { Start: { a: 1 } }
  for (let index = 0; index < 300; index++) {
    const topic = state[`T${index % 7}`] ?? {}
    topic[`k${index % 40}`] = index
    state[`T${index % 7}`] = topic
  }
  return state
}

await t.test('a recording is played line by line, and followed to its end', async t => {
  const doc = 'acme/timing/play'
  const recording = join(directory, 'play.ndjson.gz')
  const broken = [...lines.slice(0, 20), '{"seq":', '[]', ...lines.slice(20)]
  writeFileSync(recording, gzipSync(`${broken.join('\n')}\n`))
  const initial = join(directory, 'initial.json')
  writeFileSync(initial, '{"Start":{"a":1}}')
  await run(['create', doc])
  const edge = ['--url', observeUrls[1], '--until-seq', '303', '--hash', '--json']
  const tail = await startCommand(t, ['tail', doc, ...edge], variables)
  const feed = ['feed', recording, '--doc', doc, '--initial', initial, '--speed', 'max', '--json']
  const played = await run(feed)
  t.equal(played.code, 0, played.stderr)
  t.match(JSON.parse(played.stdout), {
    lines: 302,
    sent: 300,
    malformed: 2,
    malformedLines: [{ line: 21 }, { line: 22 }],
    seq: 303,
    reached: 302,
  })
  const sha256 = digestOf(playedState())
  t.equal((await run(['get', doc, '--hash'])).stdout, `${sha256}\n`)

  let line = tail.firstLine
  let summary: unknown
  while (summary === undefined) {
    const parsed = JSON.parse(line)
    if ('sha256' in parsed) summary = parsed
    else line = await tail.nextLine()
  }
  t.match(summary, { epoch: 1, seq: 303, sha256, ranges: 'adjoin' })

  const again = await run([...feed, '--in-flight', '64'])
  t.match(JSON.parse(again.stdout), { sent: 300, seq: 303 }, 'played again, nothing commits twice')
  const anew = await run([...feed, '--in-flight', '64', '--run', 'second'])
  t.match(JSON.parse(anew.stdout), { sent: 300, seq: 604 }, 'another play does')
  t.equal((await run(['get', doc, '--hash'])).stdout, `${sha256}\n`)
})

await t.test('a feed that is refused says where to go on', async t => {
  const recording = join(directory, 'short.ndjson')
  writeFileSync(recording, `${lines.slice(0, 3).join('\n')}\n`)
  const feed = ['feed', recording, '--doc', 'acme/timing/other', '--message', 'nope']
  const refused = await run([...feed, '--from-line', '2'])
  t.equal(refused.code, 1)
  t.match(refused.stderr, /to go on: fanfold feed short\.ndjson .* --from-line 2\n/)
  t.match(refused.stderr, /\[FANFOLD_NO_MESSAGE\]\n$/)
  const nowhere = ['--url', 'ws://127.0.0.1:1', '--timeout', '300ms', '--quiet']
  t.match(await run([...feed, ...nowhere]), { code: 3, stderr: /\[FANFOLD_UNREACHABLE\]\n$/ })
})

await t.test('a tail ends at a signal with its last line', async t => {
  const doc = 'acme/timing/signal'
  await run(['create', doc])
  const tail = await startCommand(t, ['tail', doc, '--json', '--hash'], variables)
  t.match(JSON.parse(tail.firstLine), { kind: 'snapshot', from: 0, seq: 2 })
  const ended = tail.end('SIGINT')
  t.match(JSON.parse(await tail.nextLine()), { seq: 2, ranges: 'adjoin', changes: 1 })
  t.equal(await ended, 0)
})

await t.test('a node serves what the configuration says, and ends at SIGTERM', async t => {
  const args = ['serve', project, '--port', '0', '--admin-port', '0']
  const node = await startCommand(t, [...args, '--data', join(directory, 'serve')], {
    FANFOLD_TOKEN_KEY: 'a-key-for-tests-only-0123456789abcdef',
  })
  let line = JSON.parse(node.firstLine)
  while (line.event !== 'node.ready') line = JSON.parse(await node.nextLine())
  const sent = await runCommand(
    ['send', 'acme/timing/x', 'merge', '{"topic":"A","delta":1}', '--json'],
    { FANFOLD_URL: `http://127.0.0.1:${line.port}`, FANFOLD_TOKEN: token },
  )
  t.same(JSON.parse(sent.stdout), { epoch: 1, seq: 3 })
  t.equal(await node.end('SIGTERM'), 0)
})

await t.test('dev ends at SIGINT', async t => {
  t.equal(await dev.end('SIGINT'), 0)
})
