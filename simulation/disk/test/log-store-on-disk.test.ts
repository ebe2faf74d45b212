import {
  logStoreSource,
  type OpenLogStoreRig,
  sha256,
  testLogStorePort,
  testRecordSource,
  testWarmStorePort,
} from '@fanfold/conformance'
import type { LogStore } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import { createFileLogStore, createFileWarmStore } from '@fanfold/storage'
import t from 'tap'
import { noDiskFaults } from '../src/disk-faults.ts'
import { SimulatedDisk } from '../src/simulated-disk.ts'
import { Tally } from '../src/tally.ts'
import { nextTurn } from '../src/turns.ts'

let rigs = 0

/** A disk on which calls happen by themselves until it is closed. */
function openDisk(): { disk: SimulatedDisk; close: () => Promise<void> } {
  const disk = new SimulatedDisk({
    prng: new Prng(`stores ${rigs++}`),
    order: 'any-order',
    faults: { ...noDiskFaults, shortReads: 0.2, shortWrites: 0.2 },
    tally: new Tally(),
  })
  let isOpen = true
  const pump = async (): Promise<void> => {
    for (; isOpen; await nextTurn()) disk.step()
  }
  const pumped = pump()
  return {
    disk,
    close: async () => {
      isOpen = false
      await pumped
    },
  }
}

t.test('a log store on a simulated disk', async t => {
  const openRig: OpenLogStoreRig = async () => {
    const { disk, close } = openDisk()
    const stores: LogStore[] = []
    return {
      open: receive => {
        const store = createFileLogStore({
          directory: '/data',
          nodeId: 'node-1',
          sha256,
          receive,
          onFatal: error => t.fail('nothing is fatal', { error }),
          files: disk.mount(`store-${stores.length}`),
        })
        stores.push(store)
        return store
      },
      close: async () => {
        for (const store of stores) await store.close()
        await close()
      },
    }
  }
  testLogStorePort(t, openRig)
  testRecordSource(t, logStoreSource(openRig))
})

t.test('a warm store on a simulated disk', async t => {
  testWarmStorePort(t, async () => {
    const { disk, close } = openDisk()
    const files = disk.mount('store')
    return { open: createFileWarmStore({ directory: '/warm', sha256, files }), close }
  })
})
