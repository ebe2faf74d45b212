import { DescriptorWatch } from './descriptor-watch.ts'
import type { ProcessContext } from './process-context.ts'
import { TroubleLog, type TroubleWords } from './trouble-log.ts'

const words: TroubleWords = {
  event: 'node.no-descriptor',
  message: 'no file descriptor left, connections are turned away',
  overEvent: 'node.no-descriptor-over',
  overMessage: 'file descriptors again',
}

/** Tells that a process has no file descriptor left, in its log and its metrics, for as long as it is open. */
export class DescriptorTrouble {
  readonly #trouble: TroubleLog
  readonly #watch: DescriptorWatch

  constructor({ log, metrics, fail }: Pick<ProcessContext, 'log' | 'metrics' | 'fail'>) {
    this.#trouble = new TroubleLog({ log, fail, words })
    this.#watch = new DescriptorWatch({
      found: (isFound, reason) => {
        if (isFound) this.#trouble.wentWell()
        else {
          metrics.plain('no_descriptor_seconds_total').inc()
          this.#trouble.met({ reason })
        }
      },
    })
  }

  close(): void {
    this.#watch.close()
    this.#trouble.close()
  }
}
