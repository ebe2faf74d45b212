import { type Instant, instant, Prng } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey, type SignedVariant } from '@fanfold/protocol'
import t from 'tap'
import { Variants } from '../src/variants.ts'
import { define, hashOf, variantOf } from './edge-log.ts'

const doc = (name: string): DocumentKey => parseDocumentKey(`acme/match/${name}`)
const [one, two] = [doc('one'), doc('two')]
const seconds = (count: number): Instant => instant(count * 1_000_000)
const start = seconds(0)
const waitMaxMs = 1_000

/** Variants, and what they asked of the edge, in order. */
class Rig {
  readonly asked: string[] = []
  readonly changed: DocumentKey[] = []
  readonly variants: Variants
  hasRoom = true

  constructor() {
    const nameOf = (hash: string): string =>
      ['a', 'b'].find(name => hashOf(name) === hash) ?? hash.slice(0, 8)
    const ask = (what: string, hash: string): void => {
      this.asked.push(`${what} ${nameOf(hash)}`)
    }
    this.variants = new Variants({
      prng: new Prng('variants'),
      waitMaxMs,
      port: {
        parents: {
          want: hash => {
            ask('want', hash)
            return this.hasRoom
          },
          unwant: hash => ask('unwant', hash),
          drop: hash => ask('drop', hash),
        },
        load: ({ code }: SignedVariant) => this.asked.push(`load ${String.fromCharCode(...code)}`),
        changed: doc => this.changed.push(doc),
      },
    })
  }

  load(name: string): void {
    this.variants.loaded(hashOf(name), define({}), start)
  }

  /** What was asked since the last time. */
  since(): string[] {
    return this.asked.splice(0)
  }
}

t.test('a variant is got once for all who want it, and all are told when it is here', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  rig.variants.want(two, hashOf('a'), start)
  t.same(rig.since(), ['want a'])
  rig.variants.got(hashOf('a'), variantOf('a'))
  t.same(rig.since(), ['load a'])
  t.equal(rig.variants.get(hashOf('a')), undefined)
  rig.load('a')
  t.same(rig.since(), ['unwant a'])
  t.same(rig.changed, [one, two])
  t.ok(rig.variants.get(hashOf('a')))
  t.equal(rig.variants.wakeAt(), undefined, 'nothing is left to wait for')
})

t.test('a variant is given up by the last who wanted it, and not run if it comes then', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  rig.variants.want(two, hashOf('a'), start)
  rig.variants.unwant(one, hashOf('a'))
  t.same(rig.since(), ['want a'])
  rig.variants.unwant(two, hashOf('a'))
  t.same(rig.since(), ['unwant a'])
  rig.variants.got(hashOf('a'), variantOf('a'))
  t.same(rig.since(), [])
  t.equal(rig.variants.wakeAt(), undefined)
})

t.test('what is not here in time is missing, is said once, and is wanted again', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  rig.variants.tick(instant(999_999))
  t.notOk(rig.variants.isMissing(hashOf('a')))
  t.equal(rig.variants.wakeAt(), seconds(1))
  rig.variants.tick(seconds(1))
  t.ok(rig.variants.isMissing(hashOf('a')))
  t.same(rig.since(), ['want a', 'want a'])
  const again = rig.variants.wakeAt()
  if (again === undefined) throw new Error('it is wanted again some time')
  rig.variants.tick(again)
  t.same(rig.since(), ['want a'])
  t.same(rig.changed, [one])
})

t.test('where too many are wanted one is missing at once, until there is room', async t => {
  const rig = new Rig()
  rig.hasRoom = false
  rig.variants.want(one, hashOf('a'), start)
  t.ok(rig.variants.isMissing(hashOf('a')))
  rig.hasRoom = true
  rig.variants.tick(seconds(2))
  t.same(rig.since(), ['want a', 'want a'])
  rig.load('a')
  t.notOk(rig.variants.isMissing(hashOf('a')))
})

t.test('what cannot be run is dropped, and got anew later', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  rig.variants.got(hashOf('a'), variantOf('a'))
  rig.variants.refused(hashOf('a'), start)
  t.same(rig.since(), ['want a', 'load a', 'drop a'])
  t.ok(rig.variants.isMissing(hashOf('a')))
  t.same(rig.changed, [one])
  rig.variants.tick(seconds(2))
  t.same(rig.since(), ['want a'])
})

/** One that the rim is to run twice: a document left it and came back meanwhile. */
function loadingTwice(): Rig {
  const rig = new Rig()
  for (let round = 0; round < 2; round++) {
    rig.variants.want(one, hashOf('a'), start)
    rig.variants.got(hashOf('a'), variantOf('a'))
    if (round === 0) rig.variants.unwant(one, hashOf('a'))
  }
  rig.since()
  return rig
}

t.test(
  'of two times that it is run the first may fail: its text is there for the second',
  async t => {
    const rig = loadingTwice()
    rig.variants.refused(hashOf('a'), start)
    rig.load('a')
    t.same(rig.variants.code(hashOf('a')), variantOf('a').code)
  },
)

t.test('of two times that it is run the second may fail: nothing is taken away', async t => {
  const rig = loadingTwice()
  rig.load('a')
  rig.since()
  rig.variants.refused(hashOf('a'), start)
  t.same(rig.variants.code(hashOf('a')), variantOf('a').code)
  t.ok(rig.variants.get(hashOf('a')))
  t.same(rig.since(), [])
})

t.test('when it fails each time its text is kept no more', async t => {
  const rig = loadingTwice()
  for (let round = 0; round < 2; round++) rig.variants.refused(hashOf('a'), start)
  t.equal(rig.variants.code(hashOf('a')), undefined)
  t.ok(rig.variants.isMissing(hashOf('a')))
})

t.test('a definition whose labels stand at no pattern is refused', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  const broken = { ...define({}), labels: [{ pattern: 'no pattern', label: 1 }] }
  t.notOk(rig.variants.loaded(hashOf('a'), broken, start))
  t.same(rig.since(), ['want a', 'drop a'])
  t.equal(rig.variants.get(hashOf('a')), undefined)
})

t.test('of what no document uses the last used stay, and what one uses always does', async t => {
  const rig = new Rig()
  rig.load('a')
  rig.variants.use(one, hashOf('a'), undefined)
  for (let count = 0; count < 40; count++) rig.load(`spare ${count}`)
  t.equal(rig.variants.count, 33)
  t.ok(rig.variants.get(hashOf('a')))
  t.equal(rig.variants.get(hashOf('spare 7')), undefined)
  t.ok(rig.variants.get(hashOf('spare 8')), 'which is the last used now')
  rig.load('one more')
  t.ok(rig.variants.get(hashOf('spare 8')))
  t.equal(rig.variants.get(hashOf('spare 9')), undefined)
  rig.variants.use(one, undefined, hashOf('a'))
  t.equal(rig.variants.count, 32)
})

t.test('a variant that nobody wants when it is run has its text when somebody does', async t => {
  const rig = new Rig()
  rig.variants.want(one, hashOf('a'), start)
  rig.variants.got(hashOf('a'), variantOf('a'))
  rig.variants.unwant(one, hashOf('a'))
  rig.load('a')
  t.ok(rig.variants.get(hashOf('a')))
  t.same(rig.variants.code(hashOf('a')), variantOf('a').code)
})
