import t from 'tap'
import { machineFacts } from '../src/machine-facts.ts'

t.test('the facts name the code and the machine', async t => {
  const { commit, node, cpu, cores } = machineFacts()
  t.match(commit, /^([0-9a-f]{12}(-changed)?|unknown)$/)
  t.equal(node, process.version)
  t.ok(cpu.length > 0 && cores >= 1)
})
