import fc from 'fast-check'
import t from 'tap'
import { type ConfigRow, configNames, configRow } from '../src/config-table.ts'
import { decodeValue, describeRange, formatValue } from '../src/config-value.ts'

const duration: ConfigRow = { type: 'duration', min: 0, max: 1e12, meaning: '' }
const size: ConfigRow = { type: 'size', min: 0, max: 1e12, meaning: '' }

const decode = (row: ConfigRow, raw: unknown): unknown => {
  const decoded = decodeValue(row, raw, '/')
  return decoded.kind === 'value' ? decoded.value : decoded.problem
}

t.test('units of durations and sizes', async t => {
  t.equal(decode(duration, '5ms'), 5)
  t.equal(decode(duration, '1.5s'), 1_500)
  t.equal(decode(duration, '2h'), 7_200_000)
  t.equal(decode(duration, '1d'), 86_400_000)
  t.equal(decode(duration, 250), 250)
  t.equal(decode(size, '64KiB'), 65_536)
  t.equal(decode(size, '1kB'), 1_000)
  t.equal(decode(size, '65_536'), 65_536)
})

t.test(
  'addresses of nodes that are none, or are there twice, are refused with the item',
  async t => {
    const row = configRow('parents')
    t.same(decode(row, 'ws://a:9600, wss://b.example.com/edge/2'), [
      'ws://a:9600',
      'wss://b.example.com/edge/2',
    ])
    const bad: readonly (readonly [raw: unknown, problem: string])[] = [
      ['a:9600', 'each item must be a URL with ws: or wss:, got "a:9600"'],
      ['//a', 'each item must be a URL with ws: or wss:, got "//a"'],
      ['http://a', 'each item must be a URL with ws: or wss:, got "http://a"'],
      ['ws://', 'each item must be a URL with ws: or wss:, got "ws://"'],
      ['ws://a:99999', 'each item must be a URL with ws: or wss:, got "ws://a:99999"'],
      ['ws://u:p@a', 'each item must not hold a user or a password'],
      ['ws://a?x=1', 'each item must not hold a query or a fragment, got "ws://a?x=1"'],
      ['ws://a#x', 'each item must not hold a query or a fragment, got "ws://a#x"'],
      [['ws://a', ' '], 'each item is empty'],
      [['ws://a', 7], 'each item must be a text, got 7'],
      ['ws://a,ws://a', 'must not name the same twice, got "ws://a"'],
      ['ws://a/p,ws://a/p/', 'must not name the same twice, got "ws://a/p/"'],
      [
        'ws://a.example.com,WS://A.Example.com',
        'must not name the same twice, got "WS://A.Example.com"',
      ],
      ['wss://a,wss://a:443/', 'must not name the same twice, got "wss://a:443/"'],
      [Array.from({ length: 17 }, (_, at) => `ws://a${at}`), 'must have 0 to 16 items, has 17'],
    ]
    for (const [raw, problem] of bad) t.equal(decode(row, raw), problem)
    const keys = configRow('tokenJwksUrl')
    t.equal(decode(keys, 'https://a/keys?policy=1'), 'https://a/keys?policy=1')
  },
)

t.test('what is formatted decodes to the same', async t => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.constantFrom(duration, size), (number, row) => {
      t.equal(decode(row, formatValue(row, number)), number)
    }),
    { numRuns: 50 },
  )
})

t.test('the limits of a range are in it, and one past them is not', async t => {
  const row: ConfigRow = { type: 'integer', unit: 'apples', min: 2, max: 9, meaning: '' }
  t.equal(decode(row, '2'), 2)
  t.equal(decode(row, '9'), 9)
  t.equal(decode(row, '1'), 'must be 2 to 9 apples, got "1"')
  t.equal(decode(row, '10'), 'must be 2 to 9 apples, got "10"')
})

t.test('what is no number, text or list at all is refused', async t => {
  const text: ConfigRow = { type: 'text', min: 1, max: 9, meaning: '' }
  const list: ConfigRow = { type: 'list', items: 'text', max: 3, meaning: '' }
  t.match(decode(duration, { ms: 1 }), /must be a number/)
  t.match(decode(duration, Number.NaN), /must be a number/)
  t.match(decode(text, 7), /must be a text, got 7/)
  t.match(decode(text, null), /has no value/)
  t.match(decode(list, ['a', 7]), /each item must be a text/)
  t.match(decode(list, ['a', 'b', 'c', 'd']), /0 to 3 items, has 4/)
})

t.test('a number that the machine decides is auto, where the option says so', async t => {
  const whole: ConfigRow = { type: 'integer', min: 1, max: 9, meaning: '' }
  const row: ConfigRow = { ...whole, auto: true }
  t.equal(decode(row, 'auto'), 0)
  t.equal(formatValue(row, 0), 'auto')
  t.equal(decode(row, 3), 3)
  t.equal(decode(row, 0), 'must be auto, or 1 to 9, got 0')
  t.match(decode(whole, 'auto'), /must be a whole number/)
  t.equal(describeRange({ ...row, unit: 'things' }), 'auto, or 1 to 9 things')
})

t.test('a switch is on or off, in the words that people use', async t => {
  const row: ConfigRow = { type: 'switch', meaning: '' }
  for (const raw of [true, 'true', '1', 'yes', 'ON']) t.equal(decode(row, raw), true)
  for (const raw of [false, 'false', '0', 'no', 'off']) t.equal(decode(row, raw), false)
  t.equal(decode(row, 'maybe'), 'must be true or false, got "maybe"')
  t.equal(decode(row, formatValue(row, true)), true)
})

t.test('every default is one that its own row accepts', async t => {
  for (const name of configNames) {
    const row = configRow(name)
    if (row.default === undefined) continue
    t.equal(decodeValue(row, row.default, '/').kind, 'value', name)
    t.ok(describeRange(row).length > 0, name)
  }
})
