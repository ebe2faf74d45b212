import t from 'tap'
import { closestName } from '../src/closest-name.ts'

const names = ['port', 'adminPort', 'limits.viewersMax', 'limits.ringBytesMax']

t.test('a slip of the keyboard finds what was meant', async t => {
  t.equal(closestName('prot', names), 'port')
  t.equal(closestName('adminport', names), 'adminPort')
  t.equal(closestName('limits.viewerMax', names), 'limits.viewersMax')
})

t.test('what is like nothing finds nothing', async t => {
  t.equal(closestName('xyzzy', names), undefined)
  t.equal(closestName('', names), undefined)
  t.equal(closestName('a', []), undefined)
})
