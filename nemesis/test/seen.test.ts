import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ViewJudge, WriteJudge } from '@fanfold/simulator'
import t from 'tap'
import { seenOf } from '../src/seen.ts'

const directory = mkdtempSync(join(tmpdir(), 'fanfold-nemesis-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, events: readonly object[]): string {
  const path = join(directory, name)
  writeFileSync(path, events.map(event => `${JSON.stringify(event)}\n`).join(''))
  return path
}

const ok = (atMs: number) => ({ kind: 'ok', doc: 'd', id: `w-${atMs}`, epoch: 1, seq: 1, atMs })
const view = (viewer: string, atMs: number, kind = 'delta') => ({ kind, viewer, seq: 1, atMs })
const log = { headSeq: () => 0, epochAt: () => undefined, hashAt: () => undefined }
const run = {
  times: { startedAtMs: 1_000, pausedAtMs: 5_000 },
  verdict: {
    writes: new WriteJudge().verdict(),
    views: new ViewJudge(log).verdict(),
    logProblems: [],
    isRight: true,
  },
  convergedMs: 7,
  measures: {},
  phases: [],
  deaths: [],
}

t.test('the longest waits are those within the time in which writers wrote', async t => {
  const writers = file('writers', [
    ok(200),
    ok(1_500),
    { kind: 'fail', doc: 'd', id: 'x', code: 'FANFOLD_LOG_FULL', atMs: 2_000 },
    ok(3_500),
    ok(9_000),
  ])
  const viewers = file('viewers', [
    view('a', 900, 'snapshot'),
    view('b', 950, 'snapshot'),
    { kind: 'status', viewer: 'a', status: 'stale', atMs: 1_100 },
    view('a', 4_000, 'snapshot'),
    ...[1_900, 2_800, 3_700, 4_600].map(atMs => view('b', atMs)),
    { kind: 'status', viewer: 'b', status: 'stale', atMs: 5_100 },
  ])
  const files = { writers: [writers], viewers: [viewers], data: directory, docs: [] }
  const seen = await seenOf(files, run)
  t.match(seen, { ackGapMs: 2_000, refusals: { FANFOLD_LOG_FULL: 1 } })
  t.match(seen, { viewGapMs: 3_000, viewGapLeastMs: 900, resets: 1, stales: 1, convergedMs: 7 })
})

t.test('who is never told anything waited all the time', async t => {
  const viewers = file('viewers-of-nothing', [view('a', 900, 'snapshot')])
  const files = { writers: [], viewers: [viewers], data: directory, docs: [] }
  t.match(await seenOf(files, run), { ackGapMs: 4_000, viewGapMs: 4_000 })
})
