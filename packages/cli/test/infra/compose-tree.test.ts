import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { connect } from '@fanfold/client'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { WebSocket } from 'ws'
import { ComposeTree, untilReady } from './compose-tree.ts'

// Fourteen starts of Node, one after the other for the most part.
t.setTimeout(400_000)

await t.test('the compose tree, run as processes, serves the race at both edges', async t => {
  const tree = new ComposeTree(t)
  await tree.mintKeys()
  await tree.startNodes()
  t.same(tree.nodeNames, ['authority', 'proxy-eu', 'proxy-us', 'edge-eu', 'edge-us'])
  const feed = tree.startProgram('feed')
  const index = tree.write('page/index.html', '<title>race</title>')
  const page = tree.startProgram('page', [
    '--host=127.0.0.1',
    '--port=0',
    `--page=${dirname(index)}`,
  ])
  await Promise.all(tree.nodeNames.map(name => untilReady(tree.node(name))))

  await until('the page is served', () => page.lines.length > 0)
  const url = /http:\S+/.exec(page.lines.join(' '))?.[0] ?? ''
  t.equal(await (await fetch(url)).text(), readFileSync(index, 'utf8'))
  t.equal((await fetch(`${url}fanfold.yaml`)).status, 404)
  const said: unknown = await (await fetch(`${url}config.json`)).json()
  t.match(said, {
    observe: 'ws://127.0.0.1:9611',
    document: 'demo/grand-prix/corvane',
    token: String,
  })
  const { document, token } = Object.fromEntries(Object.entries(said ?? {}))

  // A document that does not exist yet is refused.
  await until('the race has begun', () => feed.lines.some(line => line.includes('playing')))
  const views = ['edge-eu', 'edge-us'].map(name => {
    const live = connect(tree.node(name).url, { token: String(token), WebSocket })
    t.teardown(() => live.close())
    return live.observe(String(document))
  })
  await until('both edges show the grid', () => views.every(({ seq }) => seq >= 20))
  for (const { view, status } of views) {
    t.equal(status, 'live')
    t.match(view, { session: { race: 1 } })
  }

  const names = tree.nodeNames.toReversed()
  const exits = await Promise.all(names.map(name => tree.node(name).stop()))
  for (const [index, exit] of exits.entries()) t.equal(exit.code, 0, `${names[index]}`)
})
