import t from 'tap'
import { descriptorLimitOf, readDescriptorLimit } from '../src/descriptor-limit.ts'

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 524288               files\n`

await t.test('the soft limit is what a process may have', async t => {
  t.equal(descriptorLimitOf(limits('1024')), 1_024)
  t.equal(descriptorLimitOf(limits('unlimited')), Number.POSITIVE_INFINITY)
})

await t.test('a system that does not say is not guessed at', async t => {
  t.equal(descriptorLimitOf(undefined), undefined)
  t.equal(descriptorLimitOf('Max processes 5 5 processes\n'), undefined)
})

await t.test('this process may have some, where the system says', async t => {
  t.ok(((await readDescriptorLimit()) ?? 1) > 0)
})
