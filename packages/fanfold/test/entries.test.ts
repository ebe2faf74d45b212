import * as client from '@fanfold/client'
import * as clientMany from '@fanfold/client/many'
import * as definition from '@fanfold/definition'
import * as node from '@fanfold/node'
import * as entry from 'fanfold'
import * as clientEntry from 'fanfold/client'
import * as clientManyEntry from 'fanfold/client/many'
import * as nodeEntry from 'fanfold/node'
import t from 'tap'

t.test('each entry gives all that its home gives, and nothing else', async t => {
  t.same(Object.keys(entry).toSorted(), Object.keys(definition).toSorted())
  t.same(Object.keys(clientEntry).toSorted(), Object.keys(client).toSorted())
  t.same(Object.keys(clientManyEntry).toSorted(), Object.keys(clientMany).toSorted())
  t.same(Object.keys(nodeEntry).toSorted(), Object.keys(node).toSorted())
})

t.test('they are the same things, not copies', async t => {
  t.equal(entry.defineDocument, definition.defineDocument)
  t.equal(clientEntry.connect, client.connect)
  t.equal(clientManyEntry.observeMany, clientMany.observeMany)
  t.equal(nodeEntry.startNode, node.startNode)
})
