import { readFileSync } from 'node:fs'
import t from 'tap'
import { drawWorld } from '../../src/picture/draw-world.ts'
import { runOnce } from '../../src/run-world.ts'

const world = {
  world: 'random',
  seed: 'picture',
  nodes: undefined,
  options: {
    proxies: 1,
    edges: 1,
    viewers: 1,
    writes: 5,
    busyMs: 300,
    faults: [{ kind: 'crash', node: 'proxy-0', atMs: 100, forMs: 100 }],
  },
}

t.test('a world is drawn into a file of either kind', async t => {
  const result = await runOnce(world)
  const files = ['svg', 'html'].map(type => `${t.testdir()}/a.${type}`)
  const window = { fromMs: 50, toMs: 250 }
  for (const picture of files) await drawWorld(world, result, { picture, ...window })
  const [svg = '', html = ''] = files.map(file => readFileSync(file, 'utf8'))
  t.match(svg, /^<svg /)
  t.ok(svg.includes('crash 100 ms'))
  t.ok(html.startsWith('<!doctype html>') && html.includes('<svg '))
  t.match(svg, /random 'picture', commit /)
})
