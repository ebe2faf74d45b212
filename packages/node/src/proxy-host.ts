import { Prng } from '@fanfold/kernel'
import { type ProxyEffect, type ProxyFact, type ProxyInput, ProxyTier } from '@fanfold/proxy'
import { wallClock } from './clock.ts'
import { MachineDriver } from './machine-driver.ts'
import { proxyLimits } from './machine-limits.ts'
import { ParentDialler } from './parent-dialler.ts'
import { inProcessIdentity, type ProcessContext } from './process-context.ts'
import { RoleLinks } from './role-links.ts'
import { sha256 } from './sha256.ts'

/** A proxy of a process: the machine, the link to its parent and its children's links. */
export class ProxyHost {
  readonly links: RoleLinks
  readonly #machine: ProxyTier
  readonly #driver: MachineDriver<ProxyInput, ProxyEffect>
  readonly #dialler: ParentDialler | undefined
  readonly #context: ProcessContext

  /**
   * @param parent a role of this process, or addresses of other nodes in order of preference
   * @param seed of the waits between attempts
   */
  constructor(
    context: ProcessContext,
    options: {
      readonly name: string
      readonly region: string
      readonly parent: RoleLinks | readonly string[]
      readonly seed: string
    },
  ) {
    const { config, names, fail, log } = context
    const { name, region, parent, seed } = options
    this.#context = context
    const prng = new Prng(seed)
    this.#machine = new ProxyTier({
      sha256,
      prng: prng.fork('machine'),
      limits: proxyLimits(config),
    })
    this.#driver = new MachineDriver<ProxyInput, ProxyEffect>({
      machine: this.#machine,
      perform: effect => {
        if (effect.kind === 'fact') this.#note(effect.fact)
        else this.links.perform(effect)
      },
      fail,
    })
    this.links = new RoleLinks({
      identity: inProcessIdentity(name, region, 'proxy'),
      authenticator: context.authenticator,
      nextLink: names.nextLink,
      config,
      report: input => {
        this.#dialler?.notice(input)
        this.#driver.submit(input)
      },
    })
    if (parent instanceof RoleLinks) {
      this.links.inProcess.connect(parent.inProcess)
    } else {
      this.#dialler = new ParentDialler({
        addresses: parent,
        links: this.links,
        prng: prng.fork('dialler'),
        log: log.child({ role: 'proxy' }),
      })
      this.#dialler.start()
    }
  }

  /** Documents held, links of children, and streams of documents on them. */
  get counts(): { readonly documents: number; readonly links: number; readonly children: number } {
    const { documentCount, childCount, streamCount } = this.#machine
    return { documents: documentCount, links: childCount, children: streamCount }
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#machine.staleCount
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#machine.hasParent
  }

  close(): void {
    this.#dialler?.close()
    this.links.close()
    this.#driver.close()
  }

  #note(fact: ProxyFact): void {
    const { metrics, log } = this.#context
    switch (fact.event) {
      case 'records-forwarded':
        metrics.labelled('records_in_total', 'proxy').inc(fact.records)
        metrics.labelled('received_bytes_total', 'parent').inc(fact.bytes)
        metrics
          .labelled('replication_lag_seconds', 'proxy')
          .observe(Math.max(0, wallClock() - fact.committedAtMs) / 1000)
        return
      case 'resync':
        metrics.labelled('resyncs_total', fact.reason).inc()
        log.warn(
          { event: 'stream.resync', doc: fact.doc, reason: fact.reason },
          'stream starts anew',
        )
        return
      case 'upstream-refused':
        log.info({ event: 'stream.refused', doc: fact.doc, code: fact.code }, 'stream refused')
    }
  }
}
