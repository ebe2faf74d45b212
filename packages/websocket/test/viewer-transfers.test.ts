import type { TransferId } from '@fanfold/protocol'
import t from 'tap'
import { ViewerTransfers } from '../src/viewer-transfers.ts'

const transfer = (id: number) => id as TransferId
const frame = (n: number) => Uint8Array.of(n)

/** Something to feed to that takes so many frames, and what it was given. */
function port(room: number) {
  const said: (number | string)[] = []
  let left = room
  return {
    said,
    hasRoomFor: () => left > 0,
    send: (bytes: Uint8Array) => {
      left--
      said.push(bytes[0] ?? -1)
    },
    done: (id: TransferId) => said.push(`done ${id}`),
  }
}

t.test('frames go in order while there is room, one transfer after the other', t => {
  const transfers = new ViewerTransfers()
  const frames = [frame(1), frame(2), frame(3)]
  transfers.add(transfer(1), frames, false)
  transfers.add(transfer(2), [frame(4)], false)
  const first = port(2)
  transfers.feed(first)
  t.same(first.said, [1, 2])
  const second = port(9)
  transfers.feed(second)
  t.same(second.said, [3, 'done 1', 4, 'done 2'])
  t.equal(transfers.size, 0)
  t.equal(frames.length, 3, 'the frames are of others too')
  t.end()
})

t.test('a transfer that is ended sends no more and is never done', t => {
  const transfers = new ViewerTransfers()
  transfers.add(transfer(1), [frame(1), frame(2)], false)
  transfers.feed(port(1))
  transfers.end(transfer(1))
  transfers.end(transfer(7))
  const rest = port(9)
  transfers.feed(rest)
  t.same(rest.said, [])
  t.end()
})

t.test('a transfer of nothing is done at once', t => {
  const transfers = new ViewerTransfers()
  transfers.add(transfer(1), [], false)
  const all = port(0)
  transfers.feed(all)
  t.same(all.said, ['done 1'])
  t.end()
})
