/*
 * Loaded before each test file of `npm test`. tap has every process that a test starts say which modules it loads, by
 * way of a thread of its own: the half of what all tests take. It is for coverage, which is measured by
 * `npm run coverage` without this.
 */
import module from 'node:module'

// tap itself is started with the same options, and hands them on.
if (process.env['TAP'] === '1') {
  // What tap's loader looks for to find out that it is there already, and the way in which it adds itself.
  Reflect.set(globalThis, Symbol.for('@tapjs/processinfo.ProcessInfoNodeData'), {
    files: [],
    sources: {},
  })
  Object.assign(module, { register: () => undefined })
  delete process.env['NODE_OPTIONS']
}
