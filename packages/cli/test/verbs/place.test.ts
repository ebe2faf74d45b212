import t, { type Test } from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { runCommand } from '../command-process.ts'
import { type AdminAnswer, startAdmin } from '../fake-admin.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const doc = 'acme/match/final'

/** What a node says of the document. */
type Said = Readonly<Record<string, unknown>>

const before: Said = {
  asked: 'edge-1',
  subject: doc,
  version: 0,
  owner: 'authority-1',
  next: 'authority-2',
  why: 'rendezvous',
  authorities: ['authority-1', 'authority-2'],
  behind: [],
  authoritiesBehind: [],
  isFrozen: false,
}
const entry = {
  subject: doc,
  version: 1,
  epoch: 1,
  node: 'authority-2',
  state: 'active',
  who: 'ada',
  why: 'nearer',
  at: '2026-01-02T03:04:05.000Z',
}
const after: Said = { ...before, version: 1, owner: 'authority-2', why: 'placement', placed: entry }
const ok = (body: unknown): AdminAnswer => ({ status: 200, body })

/** A node that says these of the subject, one after the other, and answers an order. */
async function serve(
  t: Test,
  looks: Said[],
  answer: AdminAnswer = ok({ isChanged: true, placed: entry }),
) {
  const orders: unknown[] = []
  const { url, requests } = await startAdmin(t, (line, body) => {
    if (line.startsWith('POST')) {
      orders.push(JSON.parse(body))
      return answer
    }
    return ok(looks.length > 1 ? looks.shift() : looks[0])
  })
  const run = async (
    words: readonly string[],
    options: ConstructorParameters<typeof FakeTerminal>[0] = {},
  ) => {
    const terminal = new FakeTerminal({
      user: 'ada',
      environment: { FANFOLD_ADMIN_URL: url },
      ...options,
    })
    const code = await runProgram(['place', ...words], terminal)
    return { code, terminal, out: terminal.stdout, err: terminal.stderr }
  }
  return { run, orders, requests }
}

const order = [doc, 'authority-2', '--why', 'nearer']

await t.test('the plan is shown and asked about, done, and waited for', async t => {
  const heard = { ...after, authoritiesBehind: ['authority-1'] }
  const moving = { ...after, isLiveHere: false }
  const { run, orders, requests } = await serve(t, [before, before, heard, moving, after])
  const { code, out, err } = await run(order, { typed: ['y'] })
  t.equal(code, 0)
  t.same(err.split('\n'), [
    `place ${doc}`,
    '  now    authority-1 (rendezvous)',
    '  then   authority-2',
    '  by     ada: nearer',
    '  asked  node edge-1, which knows version 0',
    'Place it? [y/N] ',
  ])
  t.same(orders, [
    { subject: doc, node: 'authority-2', who: 'ada', why: 'nearer', expectedVersion: 0 },
  ])
  t.equal(out, `${doc} is served by authority-2 (placement) after 600 ms (version 1)\n`)
  t.equal(requests[0], `GET /admin/place?subject=${encodeURIComponent(doc)} nobody`)
})

await t.test('who does not agree has changed nothing', async t => {
  const { run, orders } = await serve(t, [before])
  for (const typed of ['', 'n', 'yesterday']) {
    const { code, err } = await run(order, { typed: [typed] })
    t.equal(code, 1)
    t.match(err, /not agreed to: nothing is changed \[FANFOLD_DECLINED\]/)
  }
  const { code, err } = await run(order)
  t.equal(code, 2)
  t.match(err, /nobody is there to be asked, and nothing is changed: give --yes/)
  const terminal = new FakeTerminal({ typed: ['y'], user: 'ada' })
  terminal.readLine = async () => {
    terminal.interruption.abort()
    return undefined
  }
  const { url } = await startAdmin(t, () => ok(before))
  t.equal(await runProgram(['place', ...order, '--admin-url', url], terminal), 1)
  t.match(terminal.stderr, /FANFOLD_INTERRUPTED/)
  t.same(orders, [])
})

await t.test('a command whose input is no terminal asks nobody', async t => {
  const { url } = await startAdmin(t, () => ok(before))
  const words = ['place', ...order, '--admin-url', url]
  const { code, stdout, stderr } = await runCommand(words, { HOME: '/nowhere' }, 'y\n')
  t.same([code, stdout], [2, ''])
  t.match(stderr, /then +authority-2.*Place it\? \[y\/N\] \n.*give --yes.*FANFOLD_USAGE/s)
})

await t.test('as JSON it is one line, by whom an option says', async t => {
  const { run, orders } = await serve(t, [before, after])
  const { code, out, err } = await run([...order, '--yes', '--json', '--quiet', '--who', 'bob'])
  t.equal(code, 0)
  t.equal(err, '')
  t.same(JSON.parse(out), {
    subject: doc,
    node: 'authority-2',
    version: 1,
    before: 'authority-1',
    owner: 'authority-2',
    isServed: true,
    tookMs: 0,
  })
  t.match(orders, [{ who: 'bob' }])
})

await t.test('without waiting it is enough that it is kept', async t => {
  const { run } = await serve(t, [before])
  const { code, out } = await run([...order, '--yes', '--no-wait'])
  t.same([code, out], [0, `${doc} is at version 1\n`])
})

await t.test('a new owner that does not serve in time is told, with why', async t => {
  const reasons: [Said, RegExp][] = [
    [before, /edge-1 has not heard of it/],
    [{ ...after, owner: 'authority-1' }, /its owner is authority-1/],
    [{ ...after, owner: undefined }, /its owner is nobody/],
    [{ ...after, authoritiesBehind: ['authority-1'] }, /authority-1 may not have heard of it/],
    [{ ...after, isLiveHere: false }, /edge-1 does not have it from there/],
    [{ ...after, problem: 'it is placed on one that is not alive' }, /one that is not alive/],
  ]
  for (const [last, reason] of reasons) {
    const { run } = await serve(t, [before, last])
    const { code, err } = await run([...order, '--yes', '--within', '1s'])
    t.equal(code, 1)
    t.match(err, reason)
    t.match(err, /is placed \(version 1\), and after 1\d00 ms .* \[FANFOLD_FAILED\]/)
  }
})

await t.test('whoever was faster is told, before and after', async t => {
  const message = `${doc} is at version 1, not 0: bob has placed it on authority-1`
  const conflict = { status: 409, body: { code: 'FANFOLD_PLACEMENT_CONFLICT', message } }
  const refused = await (await serve(t, [before], conflict)).run([...order, '--yes'])
  t.equal(refused.code, 1)
  t.match(refused.err, /bob has placed it on authority-1 \[FANFOLD_PLACEMENT_CONFLICT\]/)
  const later = { ...after, version: 2, placed: { ...entry, who: 'bob', why: 'mine' } }
  const overtaken = await (await serve(t, [before, later])).run([...order, '--yes'])
  t.equal(overtaken.code, 1)
  t.match(overtaken.err, /version 2 by now: bob has placed it otherwise \(mine\) .*_CONFLICT/)
  const away = { status: 503, body: { code: 'FANFOLD_COORDINATOR_UNREACHABLE', message: 'away' } }
  t.equal((await (await serve(t, [before], away)).run([...order, '--yes'])).code, 3)
})

await t.test('what is so already is not done again', async t => {
  const { run, orders } = await serve(t, [after])
  const { code, out, err } = await run([...order])
  t.equal(code, 0)
  t.match(err, /is placed on authority-2 already \(version 1\): nothing is changed/)
  t.match(out, /is served by authority-2/)
  const released = await (await serve(t, [before])).run([doc, '--release', '--why', 'over'])
  t.equal(released.code, 0)
  t.match(released.err, /is not placed \(version 0\): nothing is changed/)
  t.same(orders, [])
})

await t.test('a placement is released', async t => {
  const released = { ...entry, node: null, version: 2 }
  const free = { ...before, version: 2, placed: released }
  const { run, orders } = await serve(t, [after, free], ok({ placed: released }))
  const { code, out, err } = await run([doc, '--release', '--why', 'over', '--yes'])
  t.equal(code, 0)
  t.match(
    err,
    /^release acme.*\n {2}now {4}authority-2 \(placement\)\n {2}then {3}whoever it would/,
  )
  t.match(orders, [{ subject: doc, node: null, expectedVersion: 1 }])
  t.equal(out, `${doc} is served by authority-1 (rendezvous) after 0 ms (version 2)\n`)
})

await t.test('of a tenant it is shown which documents do not go with it', async t => {
  const apart = [{ subject: doc, node: 'authority-1' }]
  const tenant = { ...before, subject: 'acme', owner: undefined, apart, apartCount: 3 }
  const { run } = await serve(t, [tenant])
  const { err } = await run(['acme', 'authority-2', '--why', 'x'])
  t.match(err, /now {4}each document whose it is drawn to be: authority-1, authority-2 \(rendez/)
  t.match(err, /by themselves, and not touched: 3\n {4}acme.* on authority-1\n {4}and 2 more\n/)
})

await t.test('without a node it is shown where a subject is, and who said so', async t => {
  const own = await (await serve(t, [after])).run([doc])
  t.same(own.out.split('\n'), [
    `${doc}: authority-2 (placement)`,
    '  placed on authority-2 by ada, 2026-01-02T03:04:05.000Z (version 1): nearer',
    '',
  ])
  const ofTenant = { ...after, by: 'acme', placed: undefined, isFrozen: true }
  const { out } = await (await serve(t, [ofTenant])).run([doc])
  t.match(out, /^where members meet is not reached.*\n.*: authority-2 \(placement of acme\)\n$/)
  const { run } = await serve(t, [
    { ...before, owner: undefined, why: 'nobody', problem: 'start one' },
  ])
  t.match((await run([doc])).out, /: nobody \(nobody\)\n {2}start one\n$/)
  t.match(JSON.parse((await run([doc, '--json'])).out), { subject: doc, version: 0 })
})

const unbounded: Said = {
  ...before,
  subject: 'acme',
  owner: undefined,
  quota: undefined,
  behind: [],
}
const quotaEntry = {
  ...entry,
  subject: 'acme',
  node: null,
  quota: { viewersMax: 100, bytesPerSecondMax: 1_048_576 },
  why: 'as agreed',
}
const boundedAt: Said = {
  ...unbounded,
  version: 1,
  placed: quotaEntry,
  quota: {
    tenant: 'acme',
    whole: quotaEntry.quota,
    here: { viewersMax: 50, bytesPerSecondMax: 524_288 },
    used: { documents: 2, viewers: 7, sentBytes: 9, isHeld: true },
  },
}
const bound = ['acme', '--quota-viewers', '100', '--quota-bytes', '1MiB', '--why', 'as agreed']

await t.test('what a tenant may take is shown, asked about, kept, and heard of by all', async t => {
  const behind = { ...boundedAt, behind: ['edge-2'] }
  const { run, orders } = await serve(
    t,
    [unbounded, behind, boundedAt],
    ok({ isChanged: true, placed: quotaEntry }),
  )
  const { code, out, err } = await run(bound, { typed: ['y'] })
  t.equal(code, 0, err)
  t.same(err.split('\n'), [
    'bound acme',
    '  now    as much as there is',
    '  then   100 viewers, 1048576 bytes per second',
    '  by     ada: as agreed',
    '  asked  node edge-1, which knows version 0',
    'Bound it? [y/N] ',
  ])
  t.same(orders, [
    {
      subject: 'acme',
      quota: { viewersMax: 100, bytesPerSecondMax: 1_048_576 },
      who: 'ada',
      why: 'as agreed',
      expectedVersion: 0,
    },
  ])
  t.match(out, /^acme may take 100 viewers, 1048576 bytes per second: all nodes have heard after/)
})

await t.test(
  'a bound is taken away, or all of them, and what is so already is not done',
  async t => {
    const { run, orders } = await serve(
      t,
      [boundedAt],
      ok({ isChanged: true, placed: { ...quotaEntry, version: 1 } }),
    )
    const why = ['--why', 'x', '--yes', '--no-wait']
    t.equal((await run(['acme', '--quota-viewers', 'none', ...why])).code, 0)
    t.equal((await run(['acme', '--no-quota', ...why])).code, 0)
    t.match(orders, [
      { quota: { viewersMax: null }, expectedVersion: 1 },
      { quota: { documentsMax: null, viewersMax: null, bytesPerSecondMax: null } },
    ])
    const { code, err } = await run(['acme', '--quota-viewers', '100', ...why])
    t.equal(code, 0)
    t.match(err, /acme may take as much already \(version 1\): nothing is changed/)
    t.equal(orders.length, 2)
  },
)

await t.test('what a tenant may take and has is shown', async t => {
  const { run } = await serve(t, [boundedAt])
  const { out } = await run(['acme'])
  t.same(out.trim().split('\n').slice(1), [
    '  bounded by ada, 2026-01-02T03:04:05.000Z (version 1): as agreed',
    '  may take 100 viewers, 1048576 bytes per second',
    '  at edge-1 50 viewers, 524288 bytes per second; it has 2 documents and 7 viewers there, and its viewers are shown less often for now',
  ])
  const { run: list } = await serve(t, [{ placements: [quotaEntry] }])
  t.match((await list(['--list'])).out, /^acme +\(not placed\) .* as agreed; may take 100 viewers,/)
})

await t.test('a bound that is none, or beside a node, is an error of usage', async t => {
  const { run, orders } = await serve(t, [unbounded])
  const why = ['--why', 'x', '--yes']
  for (const [words, message] of [
    [['acme', '--quota-viewers', '1.5'], /--quota-viewers is a whole number, or none, got "1.5"/],
    [['acme', '--quota-documents', '1MiB'], /--quota-documents is a whole number/],
    [['acme', '--quota-bytes', 'much'], /--quota-bytes is a size such as 10MiB, or none/],
    [['acme', 'authority-2', '--quota-viewers', '1'], /one of them at a time/],
    [['acme', '--release', '--quota-viewers', '1'], /one of them at a time/],
    [['acme', '--no-quota', '--quota-viewers', '1'], /--no-quota stands without a bound/],
  ] as const) {
    const { code, err } = await run([...words, ...why])
    t.equal(code, 2)
    t.match(err, message)
  }
  t.same(orders, [])
})

await t.test('all that is placed is listed', async t => {
  const placements = [
    entry,
    { ...entry, subject: 'old', node: null, version: 12 },
    { ...entry, subject: 'other', problem: 'its node is not alive' },
  ]
  const { run, requests } = await serve(t, [{ placements }])
  const { code, out } = await run(['--list'])
  t.equal(code, 0)
  t.same(out.split('\n'), [
    'acme/match/final  authority-2  version 1   ada  2026-01-02T03:04:05.000Z  nearer',
    'old               (released)   version 12  ada  2026-01-02T03:04:05.000Z  nearer',
    'other             authority-2  version 1   ada  2026-01-02T03:04:05.000Z  nearer; its node is not alive',
    '',
  ])
  t.same(requests, ['GET /admin/place nobody'])
  t.same(JSON.parse((await run(['--list', '--json'])).out), { placements })
  const empty = await (await serve(t, [{ placements: [], isFrozen: true }])).run(['--list'])
  t.match(empty.out, /^where members meet is not reached.*\nnothing is placed\n$/)
})

await t.test('what is not said, or said twice, is an error of usage', async t => {
  const { run, requests } = await serve(t, [before])
  const wrong: [string[], RegExp][] = [
    [[], /a document’s key or a tenant is needed, or --list/],
    [[doc, 'a', '--release'], /a node or --release, not both/],
    [[doc, '--list'], /--list stands alone/],
    [['--list', '--release'], /--list stands alone/],
    [[doc, 'a'], /--why says what this is done for/],
    [[doc, 'a', '--why', ' '], /--why says what this is done for/],
    [[...order, '--yes', '--within', '1ms'], /--within is a duration/],
  ]
  for (const [words, message] of wrong) {
    const { code, err } = await run(words)
    t.equal(code, 2, words.join(' '))
    t.match(err, message)
  }
  const nameless = new FakeTerminal()
  t.equal(await runProgram(['place', ...order], nameless), 2)
  t.match(nameless.stderr, /--who says who does this/)
  t.same(requests, [])
})
