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
import { createFileLogStore, createFileWarmStore, type FileSystem } from '@fanfold/storage'
import t from 'tap'
import { noDiskFaults } from '../src/disk-faults.ts'
import { SimulatedDisk } from '../src/simulated-disk.ts'
import { Tally } from '../src/tally.ts'
import { nextTurn } from '../src/turns.ts'

let rigs = 0

/** A disk on which calls happen by themselves until it is closed, and reads fail while they are told to. */
function openDisk() {
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
  let areFailing = false
  const mount = (name: string): FileSystem => {
    const files = disk.mount(name)
    const read: FileSystem['read'] = async (file, target, position) => {
      if (areFailing) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      return await files.read(file, target, position)
    }
    return new Proxy(files, {
      get(_target, name) {
        const value: unknown = Reflect.get(files, name)
        if (name === 'read') return read
        return typeof value === 'function' ? value.bind(files) : value
      },
    })
  }
  return {
    mount,
    failReads: (now: boolean): void => {
      areFailing = now
    },
    close: async () => {
      isOpen = false
      await pumped
    },
  }
}

t.test('a log store on a simulated disk', async t => {
  const openRig: OpenLogStoreRig = async () => {
    const { mount, failReads, close } = openDisk()
    const stores: LogStore[] = []
    return {
      failReads,
      open: receive => {
        const store = createFileLogStore({
          directory: '/data',
          nodeId: 'node-1',
          sha256,
          receive,
          onFatal: error => t.fail('nothing is fatal', { error }),
          files: mount(`store-${stores.length}`),
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
    const { mount, failReads, close } = openDisk()
    const files = mount('store')
    return { open: createFileWarmStore({ directory: '/warm', sha256, files }), failReads, close }
  })
})
