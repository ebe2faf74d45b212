import t from 'tap'
import { CommandError } from '../src/command-error.ts'
import { Options, parseJson } from '../src/options.ts'

await t.test('values are decoded when they are asked for', async t => {
  const options = new Options({
    name: 'x',
    many: ['a', 'b'],
    isOn: true,
    count: '12',
    rate: '2.5',
    ttl: '2s',
    claims: '{"a":[1]}',
  })
  t.equal(options.text('name'), 'x')
  t.equal(options.text('many'), undefined)
  t.same(options.list('many'), ['a', 'b'])
  t.same(options.list('name'), [])
  t.equal(options.isSet('isOn'), true)
  t.equal(options.isSet('name'), false)
  t.equal(options.integer('count', { min: 1, max: 12 }), 12)
  t.equal(options.integer('none', { min: 1, max: 12 }), undefined)
  t.equal(options.number('rate', { max: 3 }), 2.5)
  t.equal(options.number('none', { max: 3 }), undefined)
  t.equal(options.duration('ttl', { minMs: 1, maxMs: 2_000 }), 2_000)
  t.same(options.json('claims'), { a: [1] })
  t.equal(options.json('none'), undefined)
})

await t.test('what is out of its range names the flag and the numbers', async t => {
  const options = new Options({ inFlight: '13', ttl: '3s', bad: '{', half: '1.5' })
  t.throws(
    () => options.integer('inFlight', { min: 1, max: 12 }),
    new CommandError('FANFOLD_USAGE', '--in-flight is a whole number from 1 to 12, got "13"'),
  )
  t.throws(() => options.integer('half', { min: 1, max: 12 }), { code: 'FANFOLD_USAGE' })
  t.throws(
    () => options.number('half', { max: 1 }),
    new CommandError('FANFOLD_USAGE', '--half is a number over 0, at most 1, got "1.5"'),
  )
  for (const rate of ['0', '-1', '1e3', 'NaN', '', '.5']) {
    const given = new Options({ rate })
    t.throws(() => given.number('rate', { max: 1_000 }), { code: 'FANFOLD_USAGE' }, rate)
  }
  t.throws(() => options.duration('ttl', { minMs: 1, maxMs: 2_999 }), { code: 'FANFOLD_USAGE' })
  t.throws(() => options.json('bad'), { message: /^--bad must be JSON: / })
  t.throws(() => options.required('fleetKey'), { message: '--fleet-key is needed' })
})

await t.test('JSON from elsewhere names its place', async t => {
  t.equal(parseJson('1', 'the value'), 1)
  t.throws(() => parseJson('', 'the value'), { message: /^the value must be JSON: / })
})
