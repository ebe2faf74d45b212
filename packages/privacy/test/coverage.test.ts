import t from 'tap'
import { Coverage } from '../src/coverage.ts'
import { define, everybody, patternOf } from './build-view.ts'

const coverage = (
  patterns: readonly string[],
  labels: readonly [string, number][] = [],
): Coverage =>
  Coverage.compile(
    define(Object.fromEntries(patterns.map(pattern => [pattern, everybody]))).rules,
    labels.map(([text, label]) => ({ pattern: patternOf(text), label })),
  )

const walk = (root: Coverage, ...names: string[]): Coverage =>
  names.reduce((at, name) => at.below(name), root)
const textsAt = (at: Coverage): string[] => at.rules.map(({ pattern }) => pattern.text).sort()

t.test('all patterns that fit a path are found', async t => {
  const root = coverage(['/a/*', '/a/b', '/*/b', '/a'])
  t.same(textsAt(walk(root, 'a', 'b')), ['/*/b', '/a/*', '/a/b'])
  t.same(textsAt(walk(root, 'a', 'x')), ['/a/*'])
  t.same(textsAt(walk(root, 'x', 'b')), ['/*/b'])
  t.same(textsAt(walk(root, 'x', 'y')), [])
})

t.test('a way leads to rules by names alone', async t => {
  const root = coverage(['/a/*/b', '/a/k/c'], [['/l/m', 1]])
  t.equal(root.wayLabel, 0)
  t.equal(walk(root, 'a').wayLabel, 0)
  t.equal(walk(root, 'a', 'x').wayLabel, Number.POSITIVE_INFINITY)
  t.equal(walk(root, 'a', 'k').wayLabel, 0)
  t.equal(walk(root, 'l').wayLabel, Number.POSITIVE_INFINITY)
  t.ok(walk(root, 'l').hasBelow)
})

t.test('a way is for those who may see the places of one of its rules', async t => {
  const root = coverage(
    ['/a/b', '/a/c/d', '/e/f'],
    [
      ['/a/b', 2],
      ['/a/*', 1],
      ['/e', 3],
    ],
  )
  t.equal(walk(root, 'a').wayLabel, 1)
  t.equal(walk(root, 'e').wayLabel, 3)
  t.equal(root.wayLabel, 1)
})

t.test('the highest label counts', async t => {
  const root = coverage(
    [],
    [
      ['/a/b', 1],
      ['/*/b', 3],
      ['/a/*', 2],
    ],
  )
  t.equal(walk(root, 'a', 'b').label, 3)
  t.equal(walk(root, 'a', 'x').label, 2)
  t.equal(walk(root, 'a').label, 0)
})

t.test('more patterns than are remembered are found all the same', async t => {
  const names = Array.from({ length: 3_000 }, (_, index) => `n${index}`)
  const root = coverage(names.map(name => `/${name}/*`))
  for (const name of [...names, ...names]) {
    if (textsAt(walk(root, name, 'x')).join() !== `/${name}/*`) t.fail(name)
  }
  t.pass('twice each')
})
