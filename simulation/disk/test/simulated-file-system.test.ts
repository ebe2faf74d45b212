import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { type DiskFaults, noDiskFaults } from '../src/disk-faults.ts'
import { SimulatedDisk } from '../src/simulated-disk.ts'
import { Tally } from '../src/tally.ts'
import { nextTurn } from '../src/turns.ts'
import { testFileSystemPort } from './file-system-port.ts'

const variants: Record<string, Partial<DiskFaults>> = {
  'that takes and gives all at once': {},
  'that takes and gives parts': { shortReads: 0.7, shortWrites: 0.7 },
}

for (const [name, faults] of Object.entries(variants)) {
  let rigs = 0
  t.test(`a simulated file system ${name}`, async t => {
    testFileSystemPort(t, async () => {
      const disk = new SimulatedDisk({
        prng: new Prng(`files ${rigs++}`),
        order: 'any-order',
        faults: { ...noDiskFaults, ...faults },
        tally: new Tally(),
      })
      const files = disk.mount('tests')
      let isOpen = true
      const pump = async (): Promise<void> => {
        for (; isOpen; await nextTurn()) while (disk.step());
      }
      const pumped = pump()
      await files.makeDirectory('/files/here')
      return {
        files,
        directory: '/files/here',
        close: async () => {
          isOpen = false
          await pumped
        },
      }
    })
  })
}
